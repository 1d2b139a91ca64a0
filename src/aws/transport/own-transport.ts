/**
 * Requests over connections of our own instead of the SDK's HTTP handler, which costs more than all the rest of a signature.
 *
 * Only plain answers are read here. What is not plain and what breaks goes to Node's HTTP client ({@link Replay}), and what
 * cannot be sent here (through a proxy for plain HTTP, or with all connections in use) to the SDK's handler.
 */
import { connect, isIP } from "node:net";
import type { Duplex } from "node:stream";
import type { NodeHttpHandler } from "@smithy/node-http-handler";
import type { ProxyRules } from "../network/proxy-rules.ts";
import type { SecureConnector } from "../network/secure-connector.ts";
import { ConnectionPool } from "./connection-pool.ts";
import { Exchange } from "./exchange.ts";

type Handle = NodeHttpHandler["handle"];
type Request = Parameters<Handle>[0];

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

/** Where a request goes. */
export type Place = Pick<Request, "protocol" | "hostname" | "port">;

export class OwnTransport {
  readonly #options: TransportOptions;
  readonly #pools = new Map<string, ConnectionPool>();

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  /** Opens a connection, if that can be done here; says nothing of a failure. */
  warm(place: Place): void {
    this.#poolFor(place)?.warm();
  }

  /** As the SDK's handlers have it. */
  handle: Handle = async (request, options = {}) => {
    const { otherwise, connectionTimeout, requestTimeout } = this.#options;
    const pool = typeof request.body === "string" ? this.#poolFor(request) : undefined;
    const connection = pool?.take();
    if (pool === undefined || connection === undefined) return otherwise.handle(request, options);
    const exchange = new Exchange({
      request,
      pool,
      signal: options.abortSignal as AbortSignal | undefined,
      connectionTimeoutMs: connectionTimeout,
      timeoutMs: options.requestTimeout ?? requestTimeout,
    });
    return exchange.run(connection);
  };

  /** Closes what is idle; requests under way end first. */
  destroy(): void {
    for (const pool of this.#pools.values()) pool.close();
    this.#pools.clear();
  }

  #poolFor({ protocol, hostname, port }: Place): ConnectionPool | undefined {
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

  #secure(host: string, port: number): () => Promise<Duplex> {
    const { connector } = this.#options;
    return () => connector.connect({ host, port, ALPNProtocols: ["http/1.1"] });
  }
}

const plain = (host: string, port: number) => async (): Promise<Duplex> =>
  connect({ host, port, noDelay: true, ...(isIP(host) === 0 ? { autoSelectFamily: true } : {}) });
