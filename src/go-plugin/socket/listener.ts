import { chmodSync, chownSync, statSync, unlinkSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { GoPluginError } from "../errors.ts";
import type { HostRequest, Network } from "../handshake.ts";

/**
 * A bound socket. Connections that come before {@link Listener.onConnection} wait, so that the address can be
 * announced before the gRPC server is loaded.
 */
export interface Listener {
  readonly network: Network;
  readonly address: string;
  /** Hands over every connection, those that waited included. Call once. */
  onConnection(handler: (socket: Socket) => void): void;
  /** Takes no more connections and removes the socket file. Synchronous, so that an exiting process can call it. */
  close(): void;
}

/** The socket a host asked for: a unix socket, or TCP on the loopback where there are none (Windows). */
export function listenForHost(request: HostRequest, network: Network = defaultNetwork()): Promise<Listener> {
  return network === "tcp"
    ? listenOnTcp(request.minPort, request.maxPort)
    : listenOnUnixSocket({ dir: request.socketDir, group: request.socketGroup });
}

function defaultNetwork(): Network {
  return process.platform === "win32" ? "tcp" : "unix";
}

const maxBindAttempts = 5;

export interface UnixSocketOptions {
  /** Default `os.tmpdir()`. */
  readonly dir?: string | undefined;
  /** A group name or number that may connect beside the user. */
  readonly group?: string | undefined;
}

/**
 * Binds a fresh socket, reachable by its user alone (mode 0600, from its first moment), or by a group too (0660).
 *
 * @throws GoPluginError `SOCKET_DIRECTORY`, `SOCKET_PATH_TOO_LONG`, `SOCKET_GROUP`, `LISTEN_FAILED`
 */
export async function listenOnUnixSocket(options: UnixSocketOptions = {}): Promise<Listener> {
  const dir = path.resolve(options.dir ?? tmpdir());
  checkDirectory(dir);
  const groupId = options.group === undefined ? undefined : await groupIdOf(options.group);
  const { server, address } = await bindFreshPath(dir);
  const listener = wrap(server, "unix", address);
  try {
    grantAccess(address, groupId);
  } catch (error) {
    listener.close();
    throw error;
  }
  return listener;
}

async function bindFreshPath(dir: string): Promise<{ server: Server; address: string }> {
  for (let attempt = 1; ; attempt += 1) {
    // Only freshness matters, since bind(2) refuses a path that exists; node:crypto would cost 4 ms before the handshake.
    const address = path.join(dir, `plugin${process.pid}-${Math.random().toString(36).slice(2, 12)}`);
    checkSocketPath(address);
    const server = createServer();
    const bound = untilListening(server, address);
    // bind(2) happens inside listen(), before it returns, so no other file is created under this mask.
    const mask = process.umask(0o177);
    try {
      server.listen(address);
    } finally {
      process.umask(mask);
    }
    try {
      await bound;
      return { server, address };
    } catch (error) {
      if (attempt === maxBindAttempts || !isAddressInUse(error)) throw error;
    }
  }
}

function isAddressInUse(error: unknown): boolean {
  return error instanceof GoPluginError && (error.cause as { code?: unknown } | undefined)?.code === "EADDRINUSE";
}

async function groupIdOf(group: string): Promise<number> {
  // Rarely asked for, and it loads node:child_process.
  const { findGroupId } = await import("./socket-group.ts");
  return findGroupId(group);
}

function checkDirectory(dir: string): void {
  const isDirectory = statSync(dir, { throwIfNoEntry: false })?.isDirectory() ?? false;
  if (isDirectory) return;
  throw new GoPluginError(
    "SOCKET_DIRECTORY",
    `cannot make a unix socket in "${dir}": no such directory; mend PLUGIN_UNIX_SOCKET_DIR or TMPDIR`,
  );
}

/** Bytes that fit in `sun_path` beside its terminating zero. */
const maxSocketPathBytes = process.platform === "linux" ? 107 : 103;

/** @throws GoPluginError for a path the system or the handshake line cannot carry */
export function checkSocketPath(address: string, limitBytes: number = maxSocketPathBytes): void {
  const bytes = Buffer.byteLength(address);
  if (bytes > limitBytes) {
    throw new GoPluginError(
      "SOCKET_PATH_TOO_LONG",
      `unix socket path "${address}" has ${bytes} bytes, and this system takes ${limitBytes}; set PLUGIN_UNIX_SOCKET_DIR or TMPDIR to a shorter directory`,
    );
  }
  if (/[|\r\n]/.test(address)) {
    throw new GoPluginError(
      "SOCKET_DIRECTORY",
      `unix socket path ${JSON.stringify(address)} has a "|" or a line break, which the handshake line cannot carry; mend PLUGIN_UNIX_SOCKET_DIR or TMPDIR`,
    );
  }
}

function grantAccess(address: string, groupId: number | undefined): void {
  try {
    if (groupId === undefined) {
      chmodSync(address, 0o600);
      return;
    }
    chownSync(address, -1, groupId);
    chmodSync(address, 0o660);
  } catch (cause) {
    const what = groupId === undefined ? "keep the socket private" : `give the socket to group ${groupId}`;
    throw new GoPluginError("SOCKET_GROUP", `cannot ${what}: ${messageOf(cause)}`, { cause });
  }
}

/**
 * Binds the first free port of a range on 127.0.0.1.
 *
 * @param minPort `PLUGIN_MIN_PORT`; unset means 0, and a range of 0 to 0 lets the system choose
 * @throws GoPluginError `PORT_RANGE`, `LISTEN_FAILED`
 */
export async function listenOnTcp(minPort?: string, maxPort?: string): Promise<Listener> {
  const first = readPort("PLUGIN_MIN_PORT", minPort);
  const last = readPort("PLUGIN_MAX_PORT", maxPort);
  if (first > last) throw new GoPluginError("PORT_RANGE", `PLUGIN_MIN_PORT ${first} is above PLUGIN_MAX_PORT ${last}`);
  for (let port = first; port <= last; port += 1) {
    const server = createServer();
    const bound = untilListening(server, `127.0.0.1:${port}`);
    server.listen(port, "127.0.0.1");
    try {
      await bound;
    } catch {
      continue;
    }
    const address = server.address();
    if (address === null || typeof address === "string") continue;
    return wrap(server, "tcp", `127.0.0.1:${address.port}`);
  }
  throw new GoPluginError("LISTEN_FAILED", `no free port on 127.0.0.1 from ${first} to ${last}`);
}

function readPort(variable: string, text: string | undefined): number {
  if (text === undefined) return 0;
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new GoPluginError("PORT_RANGE", `${variable} "${text}" is not a port number`);
}

function untilListening(server: Server, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error): void => {
      reject(new GoPluginError("LISTEN_FAILED", `cannot listen on "${address}": ${cause.message}`, { cause }));
    };
    server.once("error", fail);
    server.once("listening", () => {
      server.off("error", fail);
      resolve();
    });
  });
}

function wrap(server: Server, network: Network, address: string): Listener {
  let waiting: Socket[] | undefined = [];
  let handler: ((socket: Socket) => void) | undefined;
  const drop = (socket: Socket): void => {
    socket.destroy();
  };
  server.on("connection", (socket) => {
    // A peer that resets while it waits would otherwise end the process with an unhandled 'error'.
    socket.on("error", () => undefined);
    // What a waiting socket has read stays in its buffer, where HTTP/2 and TLS look for it first.
    if (handler === undefined) waiting?.push(socket);
    else handler(socket);
  });
  // accept(2) can fail for want of descriptors; the peer sees it, and the next accept may succeed.
  server.on("error", () => undefined);
  return {
    network,
    address,
    onConnection(next) {
      handler = next;
      for (const socket of waiting ?? []) next(socket);
      waiting = undefined;
    },
    close() {
      server.close();
      handler = drop;
      for (const socket of waiting ?? []) drop(socket);
      waiting = undefined;
      if (network === "unix") removeSocketFile(address);
    },
  };
}

function removeSocketFile(address: string): void {
  try {
    unlinkSync(address);
  } catch {
    // Closing the server removes it too; whoever comes second finds nothing.
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
