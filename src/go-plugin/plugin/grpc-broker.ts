/** The plugin's end of the broker, by which it reaches services that the host serves. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { type ConnInfoSchema, GRPCBroker } from "../../gen/plugin/grpc_broker_pb.ts";
import { connectGrpc, type GrpcConnection } from "../grpc/grpc-client.ts";
import { type ServiceRegistration, service } from "../grpc/grpc-service.ts";
import type { TlsIdentity } from "../tls-identity.ts";
import { Announcements } from "./announcements.ts";

/** The plugin's way to services that the host serves on listeners of their own. */
export interface Broker {
  /**
   * Connects to the listener that the host announces under `serviceId`. An announcement can be taken once, and within
   * five seconds of its coming; the call waits as long for one to come.
   *
   * @throws GoPluginError `BROKER_TIMEOUT`, `BROKER_ADDRESS`, `BROKER_CLOSED`
   */
  dial(serviceId: number, options?: { readonly signal?: AbortSignal }): Promise<GrpcConnection>;
}

export interface BrokerService extends Broker {
  readonly registration: ServiceRegistration;
  /** Closes what was dialled. */
  close(): void;
}

/** plugin.GRPCBroker on the plugin's side. Uses the AutoMTLS identity for what it dials, when there is one. */
export function createBrokerService(tls?: TlsIdentity): BrokerService {
  const announcements = new Announcements();
  const connections = new Set<GrpcConnection>();
  return {
    registration: service(GRPCBroker, {
      // The plugin announces no listeners; it holds the stream open for what the host announces.
      async *startStream(requests, context): AsyncGenerator<MessageInitShape<typeof ConnInfoSchema>> {
        const reading = readAll(requests, (info) => announcements.receive(info));
        await Promise.race([reading, aborted(context.signal)]);
      },
    }),
    async dial(serviceId, options = {}) {
      const connection = connectGrpc(await announcements.take(serviceId, options.signal), tls);
      connections.add(connection);
      return connection;
    },
    close() {
      announcements.close();
      for (const connection of connections) connection.close();
      connections.clear();
    },
  };
}

/** Resolves when the stream ends, whether the host closed it or went away. */
async function readAll<T>(values: AsyncIterable<T>, take: (value: T) => void): Promise<void> {
  try {
    for await (const value of values) take(value);
  } catch {
    // A host that hangs up breaks the stream off; there is no one left to tell.
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
