/** What every socket of ours is, whatever its kind, whether a plugin or a host listens on it. */
import { unlinkSync } from "node:fs";
import type { Server, Socket } from "node:net";
import { GoPluginError } from "../errors.ts";
import type { Network } from "../handshake.ts";

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

/** @throws GoPluginError `LISTEN_FAILED` when the server cannot be bound; to be called before `listen()` */
export function untilListening(server: Server, address: string): Promise<void> {
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

/** Keeps the connections of a bound server until the listener is asked for them. */
export function toListener(server: Server, network: Network, address: string): Listener {
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
