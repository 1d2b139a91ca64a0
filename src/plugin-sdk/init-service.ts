/** SPIRE's Init service: the first call and the last. */
import { Init } from "../gen/spire/service/private/init/v1/init_pb.ts";
import { type ServiceRegistration, service } from "../go-plugin/grpc/grpc-service.ts";
import type { HostServicesFactory } from "./host/host-services.ts";
import type { PluginImplementation } from "./plugin-definition.ts";

export interface InitServiceOptions {
  /** Full names of the services the plugin serves, its own first. */
  readonly serviceNames: readonly string[];
  readonly onInit?: PluginImplementation["onInit"];
  readonly deinit: () => Promise<void>;
  readonly hostServices: HostServicesFactory;
}

/** SPIRE's first call, which tells each side what the other serves, and its last. Init itself is not listed. */
export function createInitService(options: InitServiceOptions): ServiceRegistration {
  return service(Init, {
    async init(request) {
      await options.onInit?.(options.hostServices(request.hostServiceNames));
      return { pluginServiceNames: [...options.serviceNames] };
    },
    async deinit() {
      await options.deinit();
      return {};
    },
  });
}
