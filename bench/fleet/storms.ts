/**
 * The built-in plugin under the same quotas: a fleet that starts, rotates or refreshes at one moment, computed in virtual time. It calls
 * KMS by the AWS SDK for Go (three attempts, up to 1 s and then up to 2 s between them), and SPIRE behaves as in `world.ts`.
 */
import { seededRandom, VirtualTime } from "../../test/simulation/virtual-time.ts";
import { limits } from "./built-in.ts";

export interface Storms {
  readonly startS: number;
  readonly startThrottled: number;
  readonly rotateS: number;
  readonly rotateThrottled: number;
  /** Keys made in one of these rotations whose alias was refused: they cost a dollar a month until the scan for orphans finds them. */
  readonly rotateOrphans: number;
  /** Share of aliases that a refresh of all servers at one moment leaves as they were, until the next one after six hours. */
  readonly notRefreshed: number;
}

const attempts = 3;
const latencyMs = 20;
const retryMs = 10_000;
const maxRestartMs = 300_000;
const keysAtATime = 2;
const keysInUse = 4;
/** How long a whole fleet is given. */
const limitMs = 5 * 24 * 3_600_000;

class Storm {
  readonly time = new VirtualTime(0);
  readonly #random = seededRandom(1);
  readonly #tokens = new Map<string, { left: number; at: number }>();
  refused = 0;
  orphans = 0;

  /** Lets all servers act at one moment. @returns seconds until the last is done */
  async of(servers: number, act: () => Promise<void>): Promise<number> {
    await this.time.until(Promise.all(Array.from({ length: servers }, act)), limitMs);
    return Math.round(this.time.now / 1_000);
  }

  /** One call as the SDK makes it. @returns whether KMS has carried it out */
  async call(operation: string): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      await this.time.sleep(latencyMs);
      if (this.#take(operation)) return true;
      this.refused++;
      if (attempt === attempts) return false;
      await this.pause(1_000 * 2 ** (attempt - 1));
    }
  }

  async generate(): Promise<boolean> {
    if (!(await this.call("CreateKey"))) return false;
    if (await this.call("UpdateAlias")) return true;
    this.orphans++;
    return false;
  }

  pause(mostMs: number): Promise<void> {
    return this.time.sleep(mostMs * this.#random());
  }

  #take(operation: string): boolean {
    const limit = limits[operation] ?? Number.POSITIVE_INFINITY;
    const bucket = this.#tokens.get(operation) ?? { left: limit, at: 0 };
    const left = Math.min(limit, bucket.left + ((this.time.now - bucket.at) / 1_000) * limit);
    this.#tokens.set(operation, { left: left >= 1 ? left - 1 : left, at: this.time.now });
    return left >= 1;
  }
}

/** A failed generation ends the process, which comes back later and later, and needs what is missing. */
async function start(storm: Storm): Promise<void> {
  for (let made = 0, failures = 0; made < keysAtATime; ) {
    if (await storm.generate()) {
      made++;
      continue;
    }
    const waitMs = Math.min(retryMs * 2 ** failures++, maxRestartMs);
    await storm.time.sleep(waitMs / 2);
    await storm.pause(waitMs / 2);
  }
}

async function rotate(storm: Storm): Promise<void> {
  for (let made = 0; made < keysAtATime; ) {
    if (await storm.generate()) made++;
    else await storm.time.sleep(retryMs);
  }
}

export async function stormsOf(servers: number): Promise<Storms> {
  const [starting, rotating, refreshing] = [new Storm(), new Storm(), new Storm()];
  const startS = await starting.of(servers, () => start(starting));
  const rotateS = await rotating.of(servers, () => rotate(rotating));
  let left = 0;
  await refreshing.of(servers, async () => {
    for (let key = 0; key < keysInUse; key++) if (!(await refreshing.call("UpdateAlias"))) left++;
  });
  return {
    startS,
    startThrottled: starting.refused,
    rotateS,
    rotateThrottled: rotating.refused,
    rotateOrphans: rotating.orphans,
    notRefreshed: left / servers / keysInUse,
  };
}
