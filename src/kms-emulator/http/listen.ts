/** Opens and closes HTTP servers. */
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { EmulatorError } from "../errors.ts";

/** Listens and returns the URL. Throws EmulatorError LISTEN_FAILED, with the reason, if the address cannot be had. */
export function listen(server: Server, host: string, port: number, scheme = "http"): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const reason = cause.code === "EADDRINUSE" ? "the port is in use" : cause.message;
      reject(new EmulatorError("LISTEN_FAILED", `cannot listen on ${host}:${port}: ${reason}`, { cause }));
    });
    server.listen({ host, port }, () => {
      // From here on an error is a connection that could not be accepted (no descriptors left); it must not end us.
      server.removeAllListeners("error").on("error", () => {});
      const address = server.address() as AddressInfo;
      const name = address.family === "IPv6" ? `[${address.address}]` : address.address;
      resolve(`${scheme}://${name}:${address.port}`);
    });
  });
}

/** Stops listening and destroys open connections: nothing a client does can hold it up. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
