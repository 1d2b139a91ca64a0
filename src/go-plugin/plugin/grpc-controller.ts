/** The service by which the host asks the plugin to stop. */
import { GRPCController } from "../../gen/plugin/grpc_controller_pb.ts";
import { type ServiceRegistration, service } from "../grpc/grpc-service.ts";

/** Answers Shutdown and then, with the answer on its way, starts the stop. */
export function createControllerService(onShutdown: () => void): ServiceRegistration {
  return service(GRPCController, {
    shutdown() {
      setImmediate(onShutdown);
      return {};
    },
  });
}
