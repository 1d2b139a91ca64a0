/** The host's connections to a plugin that runs: everything that goes over its socket. */
import { create, type DescService } from "@bufbuild/protobuf";
import { EmptySchema } from "@bufbuild/protobuf/wkt";
import { Health, HealthCheckResponse_ServingStatus as ServingStatus } from "../../gen/grpc/health/v1/health_pb.ts";
import { GRPCController } from "../../gen/plugin/grpc_controller_pb.ts";
import { StdioData_Channel as Channel, GRPCStdio, type StdioData } from "../../gen/plugin/grpc_stdio_pb.ts";
import { type CallOptions, connectGrpc, type GrpcAddress, type ServiceClient } from "../grpc/grpc-client.ts";
import type { ServiceRegistration } from "../grpc/grpc-service.ts";
import { pluginHealthName } from "../grpc/health.ts";
import { GrpcStatusError } from "../grpc/status-error.ts";
import type { StdioChannel } from "../stdio-channel.ts";
import type { TlsIdentity } from "../tls-identity.ts";
import { openHostBroker } from "./host-broker.ts";

/** The id under which this host announces its services, all of them together. */
const hostServicesId = 1;

export interface PluginConnectionOptions {
  readonly address: GrpcAddress;
  readonly tls?: TlsIdentity | undefined;
  /** Served to the plugin, under broker id 1. */
  readonly hostServices?: readonly ServiceRegistration[] | undefined;
  /** For the host services' own socket. */
  readonly socketDir?: string | undefined;
  /** What the plugin's code prints after the handshake. */
  readonly onStdio?: ((channel: StdioChannel, data: Buffer) => void) | undefined;
}

export interface PluginConnection {
  /** A client of a service the plugin serves. */
  client<Service extends DescService>(service: Service): ServiceClient<Service>;
  /** @throws GrpcStatusError when the plugin does not answer that it is serving */
  ping(options?: CallOptions): Promise<void>;
  /** Calls the controller's Shutdown. */
  requestShutdown(options?: CallOptions): Promise<void>;
  close(): Promise<void>;
}

/** The host's side of a running plugin: broker, stdio stream, health and controller. */
export async function connectPlugin(options: PluginConnectionOptions): Promise<PluginConnection> {
  const connection = connectGrpc(options.address, options.tls);
  const broker = await openHostBroker(connection, {
    services: options.hostServices ?? [],
    serviceId: hostServicesId,
    socketDir: options.socketDir,
    tls: options.tls,
  });
  const stdio = connection.openReadable(GRPCStdio.method.streamStdio, create(EmptySchema));
  stdio.on("error", () => undefined);
  stdio.on("data", ({ channel, data }: StdioData) => {
    options.onStdio?.(channel === Channel.STDERR ? "stderr" : "stdout", Buffer.from(data));
  });
  const health = connection.client(Health);
  const controller = connection.client(GRPCController);
  return {
    client: (service) => connection.client(service),
    async ping(callOptions) {
      const { status } = await health.check({ service: pluginHealthName }, callOptions);
      if (status === ServingStatus.SERVING) return;
      throw new GrpcStatusError(
        "grpc.health.v1.Health/Check",
        "UNAVAILABLE",
        `the plugin answers ${ServingStatus[status]}`,
      );
    },
    async requestShutdown(callOptions) {
      await controller.shutdown({}, callOptions);
    },
    async close() {
      stdio.cancel();
      await broker.close();
      connection.close();
    },
  };
}
