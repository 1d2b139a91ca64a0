/** When each process has looked at each key, and with what. */
import type { SimulatedServer } from "../simulated-server.ts";

const looking = new Set(["DescribeKey", "ListAliases", "GetKeyLastUsage"]);

export class Looks {
  readonly #first = new WeakMap<SimulatedServer, Map<string, number>>();
  readonly #last = new WeakMap<SimulatedServer, Map<string, number>>();

  note(server: SimulatedServer, keyId: string, operation: string, now: number): void {
    if (!looking.has(operation)) return;
    const first = this.#first.get(server) ?? new Map<string, number>();
    if (!first.has(keyId)) first.set(keyId, now);
    this.#first.set(server, first);
    const last = this.#last.get(server) ?? new Map<string, number>();
    last.set(`${keyId} ${operation}`, now);
    this.#last.set(server, last);
  }

  /** Undefined: never. */
  first(server: SimulatedServer, keyId: string): number | undefined {
    return this.#first.get(server)?.get(keyId);
  }

  last(server: SimulatedServer, keyId: string, operation: string): number | undefined {
    return this.#last.get(server)?.get(`${keyId} ${operation}`);
  }
}
