/** A gRPC server on connections that a listener of ours hands over, and its orderly end. */
import type { Socket } from "node:net";
import { type ConnectionInjector, Server, ServerCredentials, type ServerOptions } from "@grpc/grpc-js";
import type { Logger } from "../hclog/logger.ts";
import type { Listener } from "../socket/listener.ts";
import type { TlsIdentity } from "../tls-identity.ts";
import { CallTracker } from "./call-context.ts";
import { fastRoutes, withFastRoutes } from "./fast/fast-unary.ts";
import { accessStreams } from "./fast/streams.ts";
import { toGrpcHandlers } from "./grpc-handler.ts";
import type { ServiceRegistration } from "./grpc-service.ts";
import { lazyHandlers } from "./lazy-handlers.ts";
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
  /** The way to the streams before grpc-js has them; for tests of a grpc-js without one. */
  readonly accessStreams?: typeof accessStreams;
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
  const calls = new CallTracker();
  const { server, injector } = serveServices(options, calls);
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

interface Served {
  readonly server: Server;
  readonly injector: ConnectionInjector;
}

/** The services on grpc-js, with those methods that ask for it on the fast path before it. */
function serveServices(options: GrpcServerOptions, calls: CallTracker): Served {
  const scope = { log: options.log, calls };
  const handlers = new Map(options.services.map((registration) => [registration, lazyHandlers(registration)]));
  const handlersOf = (registration: ServiceRegistration) => handlers.get(registration) ?? lazyHandlers(registration);
  const limitMs = options.idleLimitMs ?? idleLimitMs;

  function serveWith(grpcOptions: ServerOptions): Served {
    const server = new Server({
      "grpc.max_receive_message_length": -1,
      "grpc.max_send_message_length": -1,
      "grpc.enable_channelz": 0,
      ...grpcOptions,
    });
    for (const registration of options.services) {
      const { service } = registration;
      server.addService(toServiceDefinition(service), toGrpcHandlers(service.methods, handlersOf(registration), scope));
    }
    return { server, injector: server.createConnectionInjector(credentials(options.tls)) };
  }

  const routes = fastRoutes(options.services, (registration, name) => handlersOf(registration)(name), scope);
  if (routes.size > 0) {
    // grpc-js does not see all streams then, and would take a session in use for an idle one.
    const served = serveWith({});
    const streams = (options.accessStreams ?? accessStreams)(served.server);
    if (streams !== undefined) {
      streams.replaceListener((own) => withFastRoutes(routes, own));
      streams.closeIdleSessions(limitMs);
      return served;
    }
    served.server.forceShutdown();
    options.log.warn("this release of the gRPC library leaves no room for the fast path; calls go the usual way");
  }
  return serveWith({ "grpc.max_connection_idle_ms": limitMs });
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
