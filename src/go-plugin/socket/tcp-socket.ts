/** TCP on the loopback, for systems without unix sockets (Windows). */
import { createServer } from "node:net";
import { GoPluginError } from "../errors.ts";
import { type Listener, toListener, untilListening } from "./listener.ts";

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
    return toListener(server, "tcp", `127.0.0.1:${address.port}`);
  }
  throw new GoPluginError("LISTEN_FAILED", `no free port on 127.0.0.1 from ${first} to ${last}`);
}

function readPort(variable: string, text: string | undefined): number {
  if (text === undefined) return 0;
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new GoPluginError("PORT_RANGE", `${variable} "${text}" is not a port number`);
}
