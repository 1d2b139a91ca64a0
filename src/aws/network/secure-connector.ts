/**
 * TLS connections to AWS, straight or through the environment's proxy, with the certificate authorities of the environment.
 * The one place that decides this, for the SDK's requests and for ours; the latest TLS session of each host shortens the
 * next handshake.
 */
import { isIP, type OnReadOpts } from "node:net";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import type { ProxyRules } from "./proxy-rules.ts";
import type { Trust } from "./trust.ts";
import { openTunnel } from "./tunnel.ts";

/** A connection's options, of which host and port are there. Over a proxy's tunnel there is no `onread`. */
export type SecureTarget = Omit<ConnectionOptions, "host" | "port"> & {
  readonly host: string;
  readonly port: number;
  readonly onread?: OnReadOpts;
};

export class SecureConnector {
  readonly #rules: ProxyRules;
  readonly #trust: Trust;
  /** By host and port: those of AWS's endpoints, so a handful. */
  readonly #sessions = new Map<string, Buffer>();

  constructor(rules: ProxyRules, trust: Trust) {
    this.#rules = rules;
    this.#trust = trust;
  }

  /** The socket may still be connecting, or in its handshake. */
  async connect({ host, port, ...options }: SecureTarget): Promise<TLSSocket> {
    const secureContext = await this.#trust.context();
    const place = `${host}:${port}`;
    const session = options.session ?? this.#sessions.get(place);
    const secure: ConnectionOptions = {
      ...options,
      ...(secureContext === undefined ? {} : { secureContext }),
      ...(session === undefined ? {} : { session }),
      servername: options.servername ?? (isIP(host) === 0 ? host : ""),
    };
    const proxy = this.#rules.proxyFor("https:", host, port);
    if (proxy === undefined) return this.#remember(place, connect({ ...secure, host, port }));
    const socket = await openTunnel({ proxy, host, port, secureContext });
    // Over the tunnel; port and path would open another connection.
    const { path: _path, ...rest } = secure;
    return this.#remember(place, connect({ ...rest, host, socket }));
  }

  #remember(place: string, socket: TLSSocket): TLSSocket {
    socket.on("session", (session: Buffer) => this.#sessions.set(place, session));
    // A session that the server takes amiss must not spoil the next connection.
    socket.once("error", () => this.#sessions.delete(place));
    return socket;
  }
}
