/** Lives through the days of servers in an account in which everybody has a hand, judged from KMS's side. */

import { checkAtRest } from "../oracle/at-rest.ts";
import { Guard } from "../oracle/guard.ts";
import { dayMs, hourMs, minuteMs, secondMs } from "../scenes.ts";
import { operator, SimulatedAccount } from "../simulated-account.ts";
import { type Seams, type Settings, SimulatedServer } from "../simulated-server.ts";
import type { Trouble } from "../troubles.ts";
import { seededRandom } from "../virtual-time.ts";
import { keyIds } from "./fleet-plan.ts";
import { LiveOperator } from "./live-operator.ts";
import { type Life, type LifeStep, livesSettings, type OperatorStep } from "./lives-plan.ts";
import { type Home, Place } from "./place.ts";

/** What may be known or not: without KMS's record of use a key that has signed goes like another. */
const wouldBlind: ReadonlySet<Trouble> = new Set(["denied", "not valid", "empty answer"]);

class LifeOfServers implements Home {
  readonly account = new SimulatedAccount();
  readonly guard = new Guard(this.account);
  readonly places: readonly Place[];
  readonly #life: Life;
  readonly #seams: Seams;
  readonly #settings: Settings;
  readonly #random: () => number;
  readonly #operator = new LiveOperator(this.account);
  /** How far each place's clock is ahead, through its restarts. */
  readonly #skews = new Map<Place, number>();
  #processes = 0;

  constructor(life: Life, seams: Seams, settings: Settings) {
    this.#life = life;
    this.#seams = seams;
    this.#settings = { ...livesSettings, ...settings };
    this.#random = seededRandom(life.seed);
    this.account.rememberPast();
    this.places = life.servers.map((plan) => new Place(plan, this));
    for (const place of this.places) this.#skews.set(place, place.plan.skewMs);
  }

  isUp(process: SimulatedServer): void {
    this.guard.usage.note(process);
  }

  hasReplaced(): void {}

  newProcess(place: Place): SimulatedServer {
    const { trustDomain, serverId } = place.plan;
    this.#processes++;
    const process = new SimulatedServer({
      account: this.account,
      trustDomain,
      serverId,
      skewMs: this.#skews.get(place) ?? this.#kmsAheadMs,
      seed: this.#life.seed + this.#processes,
      latencyMs: this.#life.latencyMs,
      settings: { ...this.#settings, enable_tag_based_key_discovery: place.isTagMode },
      seams: this.#seams,
    });
    process.onKilled = () => {
      this.guard.usage.note(process);
      if (!place.isDead) place.restartIn(process.downMs ?? 30 * secondMs);
    };
    return process;
  }

  async run(): Promise<void> {
    for (const place of this.places) place.restartIn(this.#random() * minuteMs);
    await this.account.time.run(hourMs);
    for (const { waitMs, server, step } of this.#life.steps) {
      const place = this.places[server % this.places.length];
      if (place !== undefined) await this.#take(step, place);
      await this.account.time.run(waitMs);
    }
    await this.#end();
  }

  async #take(step: LifeStep, place: Place): Promise<void> {
    switch (step.kind) {
      case "rotate":
        void place.rotate(keyIds[step.keyIndex] ?? keyIds[0]);
        return;
      case "sign":
        void place.up?.sign(keyIds[step.keyIndex] ?? keyIds[0]).catch(() => undefined);
        return;
      case "kill at call":
        this.#kill(place, step);
        return;
      case "die":
        place.isDead = true;
        place.process?.kill();
        return;
      case "switch mode":
        place.isTagMode = !place.isTagMode;
        this.#kill(place, { calls: 0, when: "before", downMs: step.downMs, keyIndex: -1 });
        return;
      case "clock":
        this.#jump(step, place);
        return;
      case "clocks right":
        this.#setClocksRight();
        return;
      case "trouble":
        this.#trouble(step);
        return;
      default:
        await this.#operator.take(step satisfies OperatorStep, place.plan);
    }
  }

  #kill(place: Place, { calls, when, downMs, keyIndex }: Omit<Extract<LifeStep, { kind: "kill at call" }>, "kind">) {
    const { process } = place;
    if (process === undefined || !process.isAlive) return;
    process.downMs = downMs;
    if (calls === 0) process.kill();
    else process.crashIn = { calls, when };
    const keyId = keyIds[keyIndex];
    if (keyId !== undefined) void place.rotate(keyId);
  }

  #jump({ whose, ms }: Extract<LifeStep, { kind: "clock" }>, place: Place): void {
    const { account } = this;
    // KMS's time itself never goes back, and by weeks only with everybody's; what its answers tell may.
    if (whose === "KMS" || whose === "all") {
      if (ms > 0) account.jump(whose === "all" ? ms : Math.min(ms, 3 * hourMs));
      else account.wrongDateMs += ms;
    }
    if (whose === "date") account.wrongDateMs += ms;
    for (const other of whose === "all" ? this.places : whose === "process" ? [place] : []) {
      this.#setClock(other, (this.#skews.get(other) ?? 0) + ms);
    }
    if (this.#isWrongTimeBorneOut()) account.wrongDateMs = 0;
    for (const { process } of this.places) if (process !== undefined) this.guard.clockChanged(process);
  }

  /** A machine and KMS's answers that are ahead by the same days: two witnesses to the same error, which no process can see through. */
  #isWrongTimeBorneOut(): boolean {
    const { wrongDateMs } = this.account;
    const told = this.#kmsAheadMs + wrongDateMs;
    return wrongDateMs > 0 && [...this.#skews.values()].some((skewMs) => Math.abs(skewMs - told) <= 20 * minuteMs);
  }

  #setClock(place: Place, skewMs: number): void {
    this.#skews.set(place, skewMs);
    place.process?.setClock(skewMs);
  }

  get #kmsAheadMs(): number {
    return this.account.control.now().getTime() - this.account.time.now;
  }

  #setClocksRight(): void {
    this.account.wrongDateMs = 0;
    for (const place of this.places) this.#setClock(place, this.#kmsAheadMs);
  }

  #trouble({ fate, chance, forMs, operation }: Extract<LifeStep, { kind: "trouble" }>): void {
    const end = this.account.time.now + forMs;
    const random = this.#random;
    this.account.fateOf = (caller, called) => {
      if (this.account.time.now >= end || (operation ?? called) !== called || random() >= chance) return undefined;
      if (called === "GetKeyLastUsage" && wouldBlind.has(fate)) return undefined;
      if (fate === "lag" && !/^(DescribeKey|GetPublicKey|ListAliases)$/.test(called)) return undefined;
      if (caller instanceof SimulatedServer) this.guard.usage.isTroubled(caller);
      return fate;
    };
  }

  /** Everything is quiet for as long as the rules want, with a server in each trust domain that prunes. */
  async #end(): Promise<void> {
    this.account.fateOf = () => undefined;
    this.#setClocksRight();
    await this.#operator.enableAll();
    for (const trustDomain of new Set(this.places.map(({ plan }) => plan.trustDomain))) {
      const janitor = new Place(
        { trustDomain, serverId: `janitor${trustDomain.length}`, isTagMode: false, skewMs: 0 },
        this,
      );
      await this.account.time.until(janitor.start(), hourMs);
    }
    // Some restart late; what they have left by then is stale after the threshold, and found by the second scan after it.
    await this.account.time.run(4 * dayMs);
    await checkAtRest(this.guard);
    for (const server of this.guard.usage.live) server.kill();
  }
}

export interface LifeOutcome {
  readonly violations: readonly string[];
  /** Calls of servers that took effect. */
  readonly calls: number;
  /** Deletions that were judged. */
  readonly deletions: number;
}

/** Lives through a life and says what was wrong. */
export async function liveThrough(life: Life, seams: Seams = {}, settings: Settings = {}): Promise<LifeOutcome> {
  const lives = new LifeOfServers(life, seams, settings);
  let calls = 0;
  lives.account.watchers.add({
    onEffect: ({ caller }) => {
      if (caller !== operator) calls++;
    },
  });
  await lives.run();
  return { violations: lives.guard.violations, calls, deletions: lives.guard.judged };
}
