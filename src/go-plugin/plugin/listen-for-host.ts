/** The plugin's socket, as the host's environment variables ask for it. */
import type { HostRequest, Network } from "../handshake.ts";
import type { Listener } from "../socket/listener.ts";
import { listenOnTcp } from "../socket/tcp-socket.ts";
import { listenOnUnixSocket } from "../socket/unix-socket.ts";

/** The socket a host asked for: a unix socket, or TCP on the loopback where there are none (Windows). */
export function listenForHost(request: HostRequest, network: Network = defaultNetwork()): Promise<Listener> {
  return network === "tcp"
    ? listenOnTcp(request.minPort, request.maxPort)
    : listenOnUnixSocket({ dir: request.socketDir, group: request.socketGroup });
}

function defaultNetwork(): Network {
  return process.platform === "win32" ? "tcp" : "unix";
}
