/** All that a plugin serves on its socket, put together. */
import { type GrpcServer, startGrpcServer } from "../grpc/grpc-server.ts";
import type { ServiceRegistration } from "../grpc/grpc-service.ts";
import { createHealthService, type HealthService } from "../grpc/health.ts";
import { createReflectionServices } from "../grpc/reflection.ts";
import type { Logger } from "../hclog/logger.ts";
import type { Listener } from "../socket/listener.ts";
import type { TlsIdentity } from "../tls-identity.ts";
import { type Broker, type BrokerService, createBrokerService } from "./grpc-broker.ts";
import { createControllerService } from "./grpc-controller.ts";
import { createStdioService, type StdioService } from "./grpc-stdio.ts";

/** What a plugin's services are made from. */
export interface PluginContext {
  readonly broker: Broker;
  readonly log: Logger;
}

/** The plugin's own services, or a function that makes them, called once before the first connection is served. */
export type PluginServices =
  | readonly ServiceRegistration[]
  | ((context: PluginContext) => readonly ServiceRegistration[] | Promise<readonly ServiceRegistration[]>);

export interface PluginServerOptions {
  readonly listener: Listener;
  readonly services: PluginServices;
  readonly log: Logger;
  readonly tls?: TlsIdentity | undefined;
  /** How long a connection may have no stream; default a minute. */
  readonly idleLimitMs?: number | undefined;
  /** The host called Shutdown; its answer is on its way. */
  readonly onShutdown: () => void;
}

export interface PluginServer {
  readonly stdio: StdioService;
  /** Stops serving; answers have `graceMs` to get out. Never rejects. */
  stop(graceMs: number): Promise<void>;
}

/** Everything a go-plugin host expects on the socket, and the plugin's own services. Touches no global of the process. */
export async function startPluginServer(options: PluginServerOptions): Promise<PluginServer> {
  const { listener, log, tls } = options;
  const broker = createBrokerService(tls);
  const health = createHealthService();
  const stdio = createStdioService();
  const own = typeof options.services === "function" ? await options.services({ broker, log }) : options.services;
  const services = [
    health.registration,
    broker.registration,
    createControllerService(options.onShutdown),
    stdio.registration,
    ...own,
  ];
  const server = startGrpcServer({
    listener,
    log,
    tls,
    idleLimitMs: options.idleLimitMs,
    services: [...services, ...createReflectionServices(services)],
  });
  return { stdio, stop: (graceMs) => stop({ broker, health, stdio, server }, graceMs) };
}

interface Parts {
  readonly broker: BrokerService;
  readonly health: HealthService;
  readonly stdio: StdioService;
  readonly server: GrpcServer;
}

async function stop({ broker, health, stdio, server }: Parts, graceMs: number): Promise<void> {
  health.stop();
  stdio.close();
  await server.stop(graceMs);
  broker.close();
}
