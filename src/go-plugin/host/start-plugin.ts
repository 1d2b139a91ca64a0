/** The host: starts a plugin, connects to it, ends it. What Go's library calls a client. */
import { lstatSync, rmSync } from "node:fs";
import path from "node:path";
import type { DescService } from "@bufbuild/protobuf";
import { GoPluginError } from "../errors.ts";
import type { CallOptions, ServiceClient } from "../grpc/grpc-client.ts";
import type { ServiceRegistration } from "../grpc/grpc-service.ts";
import type { Environment, Handshake, MagicCookie } from "../handshake.ts";
import type { HclogEntry } from "../hclog/hclog-line.ts";
import type { StdioChannel } from "../stdio-channel.ts";
import type { TlsIdentity } from "../tls-identity.ts";
import { verifyChecksum } from "./file-checksum.ts";
import { connectPlugin, type PluginConnection } from "./plugin-connection.ts";
import { type PluginExit, type PluginProcess, startProcess } from "./plugin-process.ts";

/** Go's hosts wait this long for a handshake. */
const defaultStartTimeoutMs = 60_000;
/** Go's hosts wait this long after Shutdown before they kill. */
const shutdownGraceMs = 2000;

export interface StartPluginOptions {
  /** The plugin's executable; a relative path is taken from the current directory, and PATH is never searched. */
  readonly command: string;
  readonly args?: readonly string[];
  readonly cookie: MagicCookie;
  /** Hex SHA-256 that the executable must have, checked before anything is executed. */
  readonly checksum?: string;
  /** Added to this process's own environment and to what a host sets; an undefined value removes a variable. */
  readonly env?: Environment;
  readonly cwd?: string;
  /** Application protocol versions offered; default 1. */
  readonly protocolVersions?: readonly number[];
  /** Default one minute. */
  readonly startTimeoutMs?: number;
  /** Encrypts the socket and proves both ends by certificates made for this one process. */
  readonly autoMtls?: boolean;
  /** Where the sockets go, the plugin's and the host services'. */
  readonly unixSocketDir?: string;
  readonly unixSocketGroup?: string;
  /** Asks for multiplexing; whether the plugin has it stands in the handshake. */
  readonly multiplexGrpc?: boolean;
  /** Served to the plugin under broker id 1. */
  readonly hostServices?: readonly ServiceRegistration[];
  /** Every log line of the plugin that parses. */
  readonly onLog?: (entry: HclogEntry) => void;
  /** Every line of the plugin's stderr, as it stands. */
  readonly onStderrLine?: (line: string) => void;
  /** What the plugin's code prints after the handshake. */
  readonly onStdio?: (channel: StdioChannel, data: Buffer) => void;
}

export interface PluginHost {
  readonly pid: number;
  readonly handshake: Handshake;
  /** Resolves when the process has ended and its output is read. */
  readonly exited: Promise<PluginExit>;
  /** The methods of a service the plugin serves; they fail with `GrpcStatusError`. */
  client<Service extends DescService>(service: Service): ServiceClient<Service>;
  /** @throws GrpcStatusError when the plugin does not answer that it is serving */
  ping(options?: CallOptions): Promise<void>;
  /** Sends a signal to the plugin's process. */
  signal(name: NodeJS.Signals): void;
  /** Asks the plugin to go, waits two seconds, then kills. */
  shutdown(): Promise<PluginExit & { readonly wasKilled: boolean }>;
  /** Kills the plugin at once, and removes the socket it could not remove. */
  kill(): Promise<PluginExit>;
}

/**
 * Starts a go-plugin plugin as its host does and connects to it: for tests, demonstrations and tools. Whoever starts a
 * plugin ends it, with {@link PluginHost.shutdown} or {@link PluginHost.kill}.
 *
 * @throws GoPluginError `CHECKSUM_INVALID`, `CHECKSUM_MISMATCH`, `START_FAILED`, `START_TIMEOUT`,
 *   `EXITED_BEFORE_HANDSHAKE`, `HANDSHAKE_LINE`, `SERVER_CERTIFICATE`; nothing is left running then
 */
export async function startPlugin(options: StartPluginOptions): Promise<PluginHost> {
  const command = path.resolve(options.cwd ?? ".", options.command);
  if (options.checksum !== undefined) await verifyChecksum(command, options.checksum);
  const own = options.autoMtls === true ? await makeCertificate() : undefined;
  const env = { ...process.env, ...hostEnvironment(options, own?.certificatePem), ...options.env };
  const { args = [], cwd, onLog, onStderrLine } = options;
  const child = await startProcess({ command, args, cwd, env, onLog, onStderrLine });
  try {
    const handshake = await child.readHandshake(options.startTimeoutMs ?? defaultStartTimeoutMs);
    const tls = own === undefined ? undefined : await trustServer(own, handshake);
    const { hostServices, onStdio, unixSocketDir: socketDir } = options;
    const connection = await connectPlugin({ address: handshake, tls, hostServices, onStdio, socketDir });
    return makeHost(child, handshake, connection);
  } catch (error) {
    await child.kill();
    throw error;
  }
}

/** The variables a host sets, go-plugin's default port range among them. */
function hostEnvironment(options: StartPluginOptions, certificatePem: string | undefined): Environment {
  return {
    [options.cookie.key]: options.cookie.value,
    PLUGIN_MIN_PORT: "10000",
    PLUGIN_MAX_PORT: "25000",
    PLUGIN_PROTOCOL_VERSIONS: (options.protocolVersions ?? [1]).join(","),
    PLUGIN_CLIENT_CERT: certificatePem,
    PLUGIN_UNIX_SOCKET_DIR: options.unixSocketDir,
    PLUGIN_UNIX_SOCKET_GROUP: options.unixSocketGroup,
    PLUGIN_MULTIPLEX_GRPC: options.multiplexGrpc === true ? "true" : undefined,
  };
}

type OwnKeyPair = Pick<TlsIdentity, "certificatePem" | "privateKeyPem">;

async function makeCertificate(): Promise<OwnKeyPair> {
  const { createOwnCertificate } = await import("../auto-mtls.ts");
  return createOwnCertificate();
}

async function trustServer(own: OwnKeyPair, handshake: Handshake): Promise<TlsIdentity> {
  const { readServerCertificate } = await import("../auto-mtls.ts");
  if (handshake.serverCertificate === undefined) {
    throw new GoPluginError("SERVER_CERTIFICATE", "AutoMTLS is on, and the plugin's handshake has no certificate");
  }
  return { ...own, peerCertificatePem: readServerCertificate(handshake.serverCertificate) };
}

function makeHost(child: PluginProcess, handshake: Handshake, connection: PluginConnection): PluginHost {
  return {
    pid: child.pid,
    handshake,
    exited: child.exited,
    client: (service) => connection.client(service),
    ping: (callOptions) => connection.ping(callOptions),
    signal: (name) => child.signal(name),
    async shutdown() {
      // A plugin that no longer answers is killed all the same.
      await connection.requestShutdown({ timeoutMs: shutdownGraceMs }).catch(() => undefined);
      const exit = await child.exitWithin(shutdownGraceMs);
      await connection.close();
      return exit === undefined
        ? { ...(await kill(child, handshake)), wasKilled: true }
        : { ...exit, wasKilled: false };
    },
    async kill() {
      const exit = await kill(child, handshake);
      await connection.close();
      return exit;
    },
  };
}

/** A killed plugin cannot remove its socket; whoever killed it can. */
async function kill(child: PluginProcess, { network, address }: Handshake): Promise<PluginExit> {
  const exit = await child.kill();
  const isSocket = network === "unix" && (lstatSync(address, { throwIfNoEntry: false })?.isSocket() ?? false);
  if (isSocket) rmSync(address, { force: true });
  return exit;
}
