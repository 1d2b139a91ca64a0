/** One server of a history through its restarts: what a service manager and SPIRE do for it. */
import { secondMs } from "../scenes.ts";
import type { SimulatedAccount } from "../simulated-account.ts";
import type { SimulatedServer } from "../simulated-server.ts";
import { keyIds, type ServerPlan } from "./fleet-plan.ts";

/** The history that it lives in. */
export interface Home {
  readonly account: SimulatedAccount;
  newProcess(place: Place): SimulatedServer;
  /** A process is configured. */
  isUp(process: SimulatedServer): void;
  /** A process has replaced a key. */
  hasReplaced(process: SimulatedServer, keyArn: string): void;
}

/** A server through its restarts. */
export class Place {
  readonly plan: ServerPlan;
  readonly #home: Home;
  isTagMode: boolean;
  isDead = false;
  process: SimulatedServer | undefined;
  starts = 0;

  constructor(plan: ServerPlan, home: Home) {
    this.plan = plan;
    this.#home = home;
    this.isTagMode = plan.isTagMode;
  }

  get identity(): string {
    return `${this.plan.trustDomain} ${this.plan.serverId}`;
  }

  /** The configured process, if there is one. */
  get up(): SimulatedServer | undefined {
    return this.process?.isConfigured ? this.process : undefined;
  }

  async start(): Promise<void> {
    if (this.isDead) return;
    this.starts++;
    const process = this.#home.newProcess(this);
    this.process = process;
    try {
      await process.configure();
    } catch {
      process.kill();
      return;
    }
    this.#home.isUp(process);
    for (const keyId of keyIds) await this.#ensure(process, keyId);
  }

  restartIn(downMs: number): void {
    this.#home.account.time.after(downMs, () => void this.start());
  }

  async rotate(keyId: string): Promise<void> {
    const process = this.up;
    if (process === undefined) return;
    const old = process.entries.get(keyId)?.keyArn;
    try {
      await process.generate(keyId);
    } catch {
      return;
    }
    if (old !== undefined && process.entries.get(keyId)?.keyArn !== old) this.#home.hasReplaced(process, old);
  }

  /** SPIRE asks again every ten seconds, for a while. */
  async #ensure(process: SimulatedServer, keyId: string): Promise<void> {
    for (let attempt = 0; attempt < 30 && process.isAlive && !process.entries.has(keyId); attempt++) {
      await process.generate(keyId).catch(() => process.clock.sleep(10 * secondMs));
    }
  }
}
