/** The host's end of the broker: its services on a socket of their own, announced to the plugin. */
import { create } from "@bufbuild/protobuf";
import { ConnInfoSchema, GRPCBroker } from "../../gen/plugin/grpc_broker_pb.ts";
import type { GrpcConnection } from "../grpc/grpc-client.ts";
import { startGrpcServer } from "../grpc/grpc-server.ts";
import type { ServiceRegistration } from "../grpc/grpc-service.ts";
import { silentLogger } from "../hclog/logger.ts";
import { listenOnUnixSocket } from "../socket/unix-socket.ts";
import type { TlsIdentity } from "../tls-identity.ts";

export interface HostBroker {
  /** Ends the broker's stream and the host services. */
  close(): Promise<void>;
}

export interface HostBrokerOptions {
  /** Announced together, under one id. None: the stream is opened, and nothing announced. */
  readonly services: readonly ServiceRegistration[];
  readonly serviceId: number;
  readonly socketDir?: string | undefined;
  readonly tls?: TlsIdentity | undefined;
}

/** plugin.GRPCBroker on the host's side: serves services on a listener of their own and tells the plugin where. */
export async function openHostBroker(connection: GrpcConnection, options: HostBrokerOptions): Promise<HostBroker> {
  const stream = connection.openDuplex(GRPCBroker.method.startStream);
  // The stream breaks when the plugin goes; the calls that matter say so themselves.
  stream.on("error", () => undefined);
  stream.resume();
  if (options.services.length === 0) return { close: async () => void stream.end() };

  const listener = await listenOnUnixSocket({ dir: options.socketDir });
  const server = startGrpcServer({ listener, services: options.services, log: silentLogger, tls: options.tls });
  const { network, address } = listener;
  stream.write(create(ConnInfoSchema, { serviceId: options.serviceId, network, address }));
  return {
    async close() {
      stream.end();
      await server.stop(100);
    },
  };
}
