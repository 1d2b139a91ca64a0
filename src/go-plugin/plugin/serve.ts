/** A plugin's life, from the magic cookie to the exit of its process. Read it from top to bottom. */
import { writeSync } from "node:fs";
import { dirname } from "node:path";
import {
  chooseProtocolVersion,
  formatHandshakeLine,
  type HostRequest,
  hasMagicCookie,
  type MagicCookie,
  type Network,
  readHostRequest,
} from "../handshake.ts";
import { createHclog } from "../hclog/hclog.ts";
import type { Logger, LogLevel } from "../hclog/logger.ts";
import type { Listener } from "../socket/listener.ts";
import type { TlsIdentity } from "../tls-identity.ts";
import type { HostWatch } from "./host-watch.ts";
import { listenForHost } from "./listen-for-host.ts";
import type { PluginServer, PluginServices } from "./plugin-server.ts";
import { guardProcess } from "./process-guards.ts";
import { createStderrSink } from "./stderr-sink.ts";
import { captureOutput } from "./stdio-capture.ts";

/** The host waits two seconds after Shutdown before it kills; the process has ended by then whatever hangs. */
const stopLimitMs = 1500;
const stopHookLimitMs = 1000;
/** For answers that are being written while the plugin stops. */
const stopGraceMs = 200;

export interface ServeConfig {
  readonly cookie: MagicCookie;
  /** `@module` of the plugin's log lines. */
  readonly name: string;
  readonly services: PluginServices;
  /** Application protocol versions spoken; default 1 only. */
  readonly protocolVersions?: readonly number[];
  /** The least level written to the log; default `trace`, since the host filters by its own. */
  readonly logLevel?: LogLevel;
  /** Runs once when the plugin stops for whatever reason but a crash or a kill; it has one second. */
  readonly onStop?: () => Promise<void> | void;
  /** Told to a person who starts the plugin by hand; default a sentence that says it is one. */
  readonly refusal?: string;
  /** Default: unix sockets, and TCP on Windows. */
  readonly network?: Network;
}

/**
 * Serves a plugin in this process for the host that started it: checks the magic cookie, listens, prints the handshake,
 * and only then loads the gRPC machinery and the services, so that a host never waits for an import. Resolves when the
 * services are up; the process ends when the host says so, when the host has ended, or when SIGTERM comes.
 *
 * From the call on, `process.stdout` and `process.stderr` lead to the host's stdio stream and log, and a fault of
 * start-up ends the process with a sentence on stderr and exit code 1.
 */
export async function serve(config: ServeConfig): Promise<void> {
  if (!hasMagicCookie(process.env, config.cookie)) refuse(config.refusal ?? defaultRefusal);
  const run: Run = { config };
  const stderr = createStderrSink({ onClosed: () => void stop(run, log, "stderr is not read any more") });
  const log = createHclog({ name: config.name, level: config.logLevel, write: stderr.writeLine });
  const output = captureOutput(log);
  const hostWatch = guardProcess({
    log,
    onStop: (reason) => void stop(run, log, reason),
    onCrash: () => process.exit(1),
  });
  process.once("exit", () => {
    run.listener?.close();
    output.flush();
    stderr.flush();
  });
  try {
    const request = readHostRequest(process.env);
    const { listener: bare, tls } = await announce(run, request);
    const listener = withSuspicion(bare, hostWatch);
    const { startPluginServer } = await import("./plugin-server.ts");
    const onShutdown = (): void => void stop(run, log, "Shutdown");
    run.server = await startPluginServer({ listener, services: config.services, log, tls, onShutdown });
    output.attach(run.server.stdio);
    if (listener.network === "unix") void tidy(listener.address, log);
  } catch (error) {
    log.error(`the plugin cannot start: ${error instanceof Error ? error.message : String(error)}`, { error });
    process.exit(1);
  }
}

/** A host that ends closes its connections. */
function withSuspicion(listener: Listener, hostWatch: HostWatch): Listener {
  return {
    ...listener,
    onConnection(handler) {
      listener.onConnection((socket) => {
        socket.once("close", () => hostWatch.suspect());
        handler(socket);
      });
    },
  };
}

/** After the handshake, which it must not delay. */
async function tidy(address: string, log: Logger): Promise<void> {
  const { removeDeadSockets } = await import("../socket/dead-sockets.ts");
  const removed = await removeDeadSockets(dirname(address), { now: Date.now });
  if (removed.length > 0) log.debug("socket files of plugins that have ended were removed", { files: removed });
}

/** The parts of a running plugin, as they come up. */
interface Run {
  readonly config: ServeConfig;
  listener?: Listener;
  server?: PluginServer;
  isStopping?: boolean;
}

/** Listens and prints the handshake. */
async function announce(run: Run, request: HostRequest): Promise<{ listener: Listener; tls: TlsIdentity | undefined }> {
  const { config } = run;
  const appProtocolVersion = chooseProtocolVersion(config.protocolVersions ?? [1], request.protocolVersions);
  const own =
    request.clientCertificatePem === undefined ? undefined : await makeTlsIdentity(request.clientCertificatePem);
  const listener = await listenForHost(request, config.network);
  run.listener = listener;
  const line = formatHandshakeLine({
    appProtocolVersion,
    network: listener.network,
    address: listener.address,
    serverCertificate: own?.certificateDer,
    multiplexing: request.asksAboutMultiplexing ? false : undefined,
  });
  writeSync(1, `${line}\n`);
  return { listener, tls: own?.identity };
}

async function makeTlsIdentity(
  clientCertificatePem: string,
): Promise<{ certificateDer: Buffer; identity: TlsIdentity }> {
  // Loaded for AutoMTLS alone, which many hosts leave off.
  const { createOwnCertificate, readPeerCertificate } = await import("../auto-mtls.ts");
  const peerCertificatePem = readPeerCertificate(clientCertificatePem);
  const { certificateDer, certificatePem, privateKeyPem } = await createOwnCertificate();
  return { certificateDer, identity: { certificatePem, privateKeyPem, peerCertificatePem } };
}

/** Ends the process with code 0, within {@link stopLimitMs} whatever hangs. Later calls do nothing. */
async function stop(run: Run, log: Logger, reason: string): Promise<void> {
  if (run.isStopping === true) return;
  run.isStopping = true;
  log.debug("stopping", { reason });
  setTimeout(() => process.exit(0), stopLimitMs);
  run.listener?.close();
  await runStopHook(run.config, log);
  await run.server?.stop(stopGraceMs);
  process.exit(0);
}

async function runStopHook({ onStop }: ServeConfig, log: Logger): Promise<void> {
  const hook = (async () => onStop?.())().catch((error: unknown) => log.error("stopping failed", { error }));
  const late = new Promise<void>((resolve) => {
    setTimeout(() => {
      log.warn("stopping takes too long; going without the rest of it", { limitMs: stopHookLimitMs });
      resolve();
    }, stopHookLimitMs).unref();
  });
  await Promise.race([hook, late]);
}

const defaultRefusal = "This is a plugin. It is started by the program it extends, and does nothing by itself.";

function refuse(text: string): never {
  writeSync(2, `${text}\n`);
  process.exit(1);
}
