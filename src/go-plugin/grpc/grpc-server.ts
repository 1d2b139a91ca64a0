/** A gRPC server on connections that a listener of ours hands over, and its orderly end. */
import type { Socket } from "node:net";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import type { Logger } from "../hclog/logger.ts";
import type { Listener } from "../socket/listener.ts";
import type { TlsIdentity } from "../tls-identity.ts";
import { CallTracker } from "./call-context.ts";
import { toGrpcHandlers } from "./grpc-handler.ts";
import type { ServiceRegistration } from "./grpc-service.ts";
import { toServiceDefinition } from "./method-definition.ts";
import { StatusError } from "./status-error.ts";

export interface GrpcServerOptions {
  readonly listener: Listener;
  readonly services: readonly ServiceRegistration[];
  readonly log: Logger;
  /** Present when AutoMTLS is on: both sides prove a certificate. Absent: plaintext HTTP/2. */
  readonly tls?: TlsIdentity | undefined;
  /** How long a connection may have no stream; default a minute. */
  readonly idleLimitMs?: number | undefined;
}

export interface GrpcServer {
  /**
   * Closes the listener, cancels what handlers are doing, gives answers `graceMs` to get out, then drops the
   * connections. Never rejects.
   */
  stop(graceMs: number): Promise<void>;
}

/**
 * A connection without a stream is closed after this long; a host keeps its stdio and broker streams open, and any client
 * comes again when it calls. Node stops reading from a peer that breaks HTTP/2, and so never sees it go.
 */
const idleLimitMs = 60_000;

/** Serves gRPC on connections that the listener accepts. */
export function startGrpcServer(options: GrpcServerOptions): GrpcServer {
  const server = new Server({
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
    "grpc.enable_channelz": 0,
    "grpc.max_connection_idle_ms": options.idleLimitMs ?? idleLimitMs,
  });
  const calls = new CallTracker();
  const scope = { log: options.log, calls };
  for (const registration of options.services) {
    server.addService(toServiceDefinition(registration.service), toGrpcHandlers(registration, scope));
  }
  const injector = server.createConnectionInjector(credentials(options.tls));
  const sockets = new Set<Socket>();
  options.listener.onConnection((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    injector.injectConnection(socket);
  });

  return {
    async stop(graceMs) {
      options.listener.close();
      calls.cancelAll(new StatusError("UNAVAILABLE", "the plugin is stopping"));
      // Sends GOAWAY on every connection. Its callback comes at once on Node 24, whose server closes the sessions itself.
      server.tryShutdown(() => undefined);
      await untilEmpty(sockets, graceMs);
      for (const socket of sockets) socket.destroy();
      server.forceShutdown();
    },
  };
}

/** Resolves when the last of the sockets has closed, or after the grace. */
function untilEmpty(sockets: ReadonlySet<Socket>, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, graceMs);
    const check = (): void => {
      if (sockets.size > 0) return;
      clearTimeout(timer);
      resolve();
    };
    for (const socket of sockets) socket.once("close", check);
    check();
  });
}

function credentials(tls: TlsIdentity | undefined): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure();
  const pair = { private_key: Buffer.from(tls.privateKeyPem), cert_chain: Buffer.from(tls.certificatePem) };
  return ServerCredentials.createSsl(Buffer.from(tls.peerCertificatePem), [pair], true);
}
