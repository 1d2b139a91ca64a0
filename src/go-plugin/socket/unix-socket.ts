/** Unix sockets that only their user, or one group beside it, can reach. */
import { chmodSync, chownSync, statSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { GoPluginError } from "../errors.ts";
import { type Listener, toListener, untilListening } from "./listener.ts";

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
  const listener = toListener(server, "unix", address);
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
    `cannot make a unix socket in "${dir}": no such directory; set PLUGIN_UNIX_SOCKET_DIR or TMPDIR to one that exists`,
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
      `unix socket path ${JSON.stringify(address)} has a "|" or a line break, which the handshake line cannot carry; set PLUGIN_UNIX_SOCKET_DIR or TMPDIR to another directory`,
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

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
