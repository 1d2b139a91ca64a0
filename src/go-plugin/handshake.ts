/**
 * What host and plugin say before they speak gRPC: the magic cookie, the `PLUGIN_*` variables, the one line on stdout.
 */
import { GoPluginError } from "./errors.ts";

/** go-plugin's own protocol; every host and plugin of the last years speaks 1. */
const coreProtocolVersion = 1;

/** An environment variable whose presence tells a plugin that a host started it. Not a secret. */
export interface MagicCookie {
  readonly key: string;
  readonly value: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

export type Network = "unix" | "tcp";

/** What a host asks of a plugin through `PLUGIN_*` variables. Empty variables count as unset. */
export interface HostRequest {
  /** `PLUGIN_PROTOCOL_VERSIONS`, unparsed. */
  readonly protocolVersions: string | undefined;
  /** `PLUGIN_CLIENT_CERT`: the host's certificate in PEM; asks for AutoMTLS. */
  readonly clientCertificatePem: string | undefined;
  /** `PLUGIN_UNIX_SOCKET_DIR` */
  readonly socketDir: string | undefined;
  /** `PLUGIN_UNIX_SOCKET_GROUP`: a group name or number that shall reach the socket. */
  readonly socketGroup: string | undefined;
  /** `PLUGIN_MIN_PORT` and `PLUGIN_MAX_PORT`, unparsed; read only where the plugin listens on TCP. */
  readonly minPort: string | undefined;
  readonly maxPort: string | undefined;
  /** `PLUGIN_MULTIPLEX_GRPC` was set, to whatever value: the host reads a seventh handshake field. */
  readonly asksAboutMultiplexing: boolean;
}

export function readHostRequest(env: Environment): HostRequest {
  const value = (name: string): string | undefined => {
    const text = env[name];
    return text === undefined || text === "" ? undefined : text;
  };
  return {
    protocolVersions: value("PLUGIN_PROTOCOL_VERSIONS"),
    clientCertificatePem: value("PLUGIN_CLIENT_CERT"),
    socketDir: value("PLUGIN_UNIX_SOCKET_DIR"),
    socketGroup: value("PLUGIN_UNIX_SOCKET_GROUP"),
    minPort: value("PLUGIN_MIN_PORT"),
    maxPort: value("PLUGIN_MAX_PORT"),
    asksAboutMultiplexing: value("PLUGIN_MULTIPLEX_GRPC") !== undefined,
  };
}

export function hasMagicCookie(env: Environment, cookie: MagicCookie): boolean {
  return cookie.key !== "" && env[cookie.key] === cookie.value;
}

/**
 * Picks the highest application protocol version both sides speak.
 *
 * @param offered the host's comma list; entries that are not numbers are passed over. A host that sends no list at all
 *   predates negotiation and gets the lowest version we have.
 * @throws GoPluginError `PROTOCOL_VERSION` when the two lists have nothing in common.
 */
export function chooseProtocolVersion(supported: readonly number[], offered: string | undefined): number {
  const ours = [...supported].sort((a, b) => b - a);
  const lowest = ours.at(-1);
  if (lowest === undefined) throw new GoPluginError("PROTOCOL_VERSION", "this plugin supports no protocol version");
  if (offered === undefined) return lowest;
  const theirs = new Set(
    offered
      .split(",")
      .map((entry) => entry.trim())
      .filter((entry) => /^\d+$/.test(entry))
      .map(Number),
  );
  const common = ours.find((version) => theirs.has(version));
  if (common !== undefined) return common;
  throw new GoPluginError(
    "PROTOCOL_VERSION",
    `the host offers plugin protocol versions "${offered}" (PLUGIN_PROTOCOL_VERSIONS), this plugin speaks ${ours.join(", ")}; update the older of the two`,
  );
}

/** The one line a plugin prints on stdout to say where it listens. */
export interface Handshake {
  readonly appProtocolVersion: number;
  readonly network: Network;
  /** A socket path, or host:port. */
  readonly address: string;
  /** DER of the plugin's certificate when AutoMTLS is on. */
  readonly serverCertificate?: Buffer | undefined;
  /** Printed only when the host asked; whether one connection can carry every listener. */
  readonly multiplexing?: boolean | undefined;
}

export function formatHandshakeLine(handshake: Handshake): string {
  const fields = [
    String(coreProtocolVersion),
    String(handshake.appProtocolVersion),
    handshake.network,
    handshake.address,
    "grpc",
    // Hosts decode unpadded base64 only (Go's RawStdEncoding).
    handshake.serverCertificate?.toString("base64").replace(/=+$/, "") ?? "",
  ];
  // A host that does not ask may be old and would read a seventh field as part of the sixth.
  if (handshake.multiplexing !== undefined) fields.push(String(handshake.multiplexing));
  return fields.join("|");
}

/** @throws GoPluginError `HANDSHAKE_LINE` for anything that is not a gRPC plugin's handshake. */
export function parseHandshakeLine(line: string): Handshake {
  const refuse = (why: string): never => {
    throw new GoPluginError("HANDSHAKE_LINE", `the plugin's first line is no handshake (${why}): ${quoteLine(line)}`);
  };
  const fields = line.trim().split("|");
  const [core = "", app = "", network = "", address = "", protocol = "netrpc", certificate = "", multiplexing] = fields;
  if (fields.length < 4) refuse("fewer than four fields");
  if (core !== String(coreProtocolVersion)) refuse(`core protocol version ${core}, not ${coreProtocolVersion}`);
  if (!/^\d+$/.test(app)) refuse("no application protocol version");
  if (network !== "unix" && network !== "tcp") return refuse(`unknown network "${network}"`);
  if (address === "") refuse("no address");
  if (protocol !== "grpc") refuse(`protocol "${protocol}", not "grpc"`);
  return {
    appProtocolVersion: Number(app),
    network,
    address,
    ...(certificate === "" ? {} : { serverCertificate: Buffer.from(certificate, "base64") }),
    ...(multiplexing === undefined ? {} : { multiplexing: multiplexing === "true" }),
  };
}

function quoteLine(line: string): string {
  return JSON.stringify(line.length > 200 ? `${line.slice(0, 200)}…` : line);
}
