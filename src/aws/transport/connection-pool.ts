/** The kept-alive connections to one endpoint. */
import { type Connect, Connection, type ConnectionOwner } from "./connection.ts";

export interface PoolOptions {
  readonly connect: Connect;
  readonly maxConnections: number;
  /** What is idle for longer is closed, but for one connection, which may save the next signature a handshake. */
  readonly idleMs: number;
  readonly now: () => number;
}

/** Told idle times are cut by this much, so that the server does not close what is being written to. */
const marginMs = 1_000;

interface Idle {
  readonly connection: Connection;
  readonly since: number;
  /** The time at which the server will close it. */
  readonly until: number;
}

export class ConnectionPool implements ConnectionOwner {
  readonly #options: PoolOptions;
  /** The longest idle first; the last is used next, so that those too many grow old. */
  readonly #idle: Idle[] = [];
  readonly #open = new Set<Connection>();
  #sweeping: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Connections, idle or in use. */
  get size(): number {
    return this.#open.size;
  }

  /** A connection for one request, or undefined when there are as many as there may be. */
  take(): Connection | undefined {
    const now = this.#options.now();
    for (let latest = this.#idle.pop(); latest !== undefined; latest = this.#idle.pop()) {
      if (now < latest.until) return latest.connection;
      latest.connection.close();
    }
    return this.fresh();
  }

  /** A new connection, or undefined when there are as many as there may be. */
  fresh(): Connection | undefined {
    if (this.#open.size >= this.#options.maxConnections) return undefined;
    const connection = new Connection(this, this.#options.connect);
    this.#open.add(connection);
    return connection;
  }

  /** Opens a connection if there is none. */
  warm(): void {
    if (this.#open.size > 0) return;
    const connection = this.fresh();
    if (connection !== undefined) this.idle(connection, undefined);
  }

  idle(connection: Connection, keptMs: number | undefined): void {
    if (this.#isClosed) return void connection.close();
    const since = this.#options.now();
    const until = keptMs === undefined ? Number.POSITIVE_INFINITY : since + Math.max(0, keptMs - marginMs);
    this.#idle.push({ connection, since, until });
    this.#sweepLater();
  }

  closed(connection: Connection): void {
    this.#open.delete(connection);
    const at = this.#idle.findIndex((one) => one.connection === connection);
    if (at >= 0) this.#idle.splice(at, 1);
  }

  /** Closes idle connections, and those in use once they have had their answer. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#sweeping);
    for (const { connection } of [...this.#idle]) connection.close();
  }

  #sweepLater(): void {
    if (this.#sweeping !== undefined || this.#idle.length < 2) return;
    this.#sweeping = setTimeout(() => this.#sweep(), this.#options.idleMs);
    this.#sweeping.unref();
  }

  #sweep(): void {
    this.#sweeping = undefined;
    const before = this.#options.now() - this.#options.idleMs;
    const old = this.#idle.slice(0, -1).filter(({ since }) => since <= before);
    for (const { connection } of old) connection.close();
    this.#sweepLater();
  }
}
