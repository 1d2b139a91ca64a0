/**
 * Requests over connections of our own instead of the SDK's HTTP handler, which costs more than all the rest of a signature.
 *
 * Only plain answers are read here. What is not plain and what breaks goes to Node's HTTP client ({@link Replay}), and what
 * cannot be sent here (through a proxy for plain HTTP, or with all connections in use) to the SDK's handler.
 */
import { connect, isIP } from "node:net";
import type { NodeHttpHandler } from "@smithy/node-http-handler";
import type { Cut } from "../calls/cut.ts";
import type { ProxyRules } from "../network/proxy-rules.ts";
import type { SecureConnector } from "../network/secure-connector.ts";
import type { Connect } from "./connection.ts";
import { ConnectionPool } from "./connection-pool.ts";
import { Exchange } from "./exchange.ts";
import type { Answer, Place, WireRequest } from "./wire-request.ts";

type Handle = NodeHttpHandler["handle"];

/** Sends lean requests. Rejects as the SDK's HTTP handlers do. */
export interface Transport {
  send(request: WireRequest, cut: Cut): Promise<Answer>;
}

/** Everything by the SDK's handler. */
export const transportBy = (handler: Pick<NodeHttpHandler, "handle">): Transport => ({
  send: (request, cut) => handler.handle(request.toHttpRequest() as Parameters<Handle>[0], { abortSignal: cut.signal }),
});

export interface TransportOptions {
  readonly rules: ProxyRules;
  readonly connector: SecureConnector;
  /** For what is not sent here. */
  readonly otherwise: Pick<NodeHttpHandler, "handle">;
  readonly connectionTimeout: number;
  /** For the whole exchange. */
  readonly requestTimeout: number;
  readonly maxConnections: number;
}

const idleMs = 60_000;
/** Endpoints: one, but for the moment in which credentials bring another. */
const maxPools = 4;

export class OwnTransport implements Transport {
  readonly #options: TransportOptions;
  readonly #otherwise: Transport;
  readonly #pools = new Map<string, ConnectionPool>();
  #latest: { readonly place: Place; readonly pool: ConnectionPool } | undefined;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#otherwise = transportBy(options.otherwise);
  }

  /** Opens a connection, if that can be done here; says nothing of a failure. */
  warm(place: Place): void {
    this.#poolFor(place)?.warm();
  }

  send(request: WireRequest, cut: Cut): Promise<Answer> {
    const pool = this.#poolFor(request.place);
    const connection = pool?.take();
    if (pool === undefined || connection === undefined) return this.#otherwise.send(request, cut);
    const { connectionTimeout, requestTimeout } = this.#options;
    const limits = { connectionTimeoutMs: connectionTimeout, timeoutMs: requestTimeout };
    return new Exchange({ request, pool, cut, ...limits }).run(connection);
  }

  /** Closes what is idle; requests under way end first. */
  destroy(): void {
    for (const pool of this.#pools.values()) pool.close();
    this.#pools.clear();
    this.#latest = undefined;
  }

  #poolFor(place: Place): ConnectionPool | undefined {
    // Requests come from one form, and so with the same place.
    if (this.#latest?.place === place) return this.#latest.pool;
    const pool = this.#findPool(place);
    if (pool !== undefined) this.#latest = { place, pool };
    return pool;
  }

  #findPool({ protocol, hostname, port }: Place): ConnectionPool | undefined {
    const place = `${protocol}//${hostname}:${port}`;
    const known = this.#pools.get(place);
    if (known !== undefined) return known;
    const isSecure = protocol === "https:";
    if (!isSecure && protocol !== "http:") return undefined;
    if (!isSecure && this.#options.rules.proxyFor(protocol, hostname, port) !== undefined) return undefined;
    if (this.#pools.size >= maxPools) this.destroy();
    const host = hostname.replace(/^\[(.*)\]$/, "$1");
    const options = { connect: isSecure ? this.#secure(host, port ?? 443) : plain(host, port ?? 80), idleMs };
    const { maxConnections } = this.#options;
    const pool = new ConnectionPool({ ...options, maxConnections, now: () => performance.now() });
    this.#pools.set(place, pool);
    return pool;
  }

  #secure(host: string, port: number): Connect {
    const { connector } = this.#options;
    return (onread) => connector.connect({ host, port, ALPNProtocols: ["http/1.1"], onread });
  }
}

const plain =
  (host: string, port: number): Connect =>
  async (onread) =>
    connect({ host, port, noDelay: true, onread, ...(isIP(host) === 0 ? { autoSelectFamily: true } : {}) });
