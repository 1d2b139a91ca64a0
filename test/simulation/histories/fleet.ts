/** Lives through the history of a fleet: servers of several identities in one account, for months. */
import { addStrangers, type Stranger } from "../operator.ts";
import { Ledger } from "../oracle/ledger.ts";
import { dayMs, hourMs, minuteMs, secondMs } from "../scenes.ts";
import { operator, SimulatedAccount } from "../simulated-account.ts";
import { type Seams, SimulatedServer } from "../simulated-server.ts";
import { seededRandom } from "../virtual-time.ts";
import { type FleetHistory, keyIds, type Step } from "./fleet-plan.ts";
import { type Home, Place } from "./place.ts";

/** Keys and aliases that only look as if they were SPIRE's. */
const strangers: readonly Stranger[] = [
  ["SPIRE_SERVER/example.or"],
  ["SPIRE_SERVER/example.organization"],
  ["SPIRE_SERVER/example.org/x509-CA-A"],
  ["SPIRE_SERVER_KEY/example_orga/x509-CA-A"],
  ["our SPIRE_SERVER/example.org", "alias/SPIRE_SERVER/example_org/a/b/c/d"],
  ["billing", "alias/SPIRE_SERVER/example_org/old/x509-CA-A"],
  ["billing", "alias/SPIRE_SERVER/example_organic/ab"],
  ["billing", "alias/SPIRE_SERVER/a_b/x/y"],
  [""],
  ["SPIRE_SERVER/example.org", "alias/prod"],
  ["SPIRE_SERVER/a.b", "alias/SPIRE_SERVER-a_b/a/x509-CA-A"],
];

class Fleet implements Home {
  readonly account = new SimulatedAccount();
  readonly ledger: Ledger;
  readonly places: readonly Place[];
  readonly #history: FleetHistory;
  readonly #seams: Seams;
  readonly #random: () => number;
  #processes = 0;

  constructor(history: FleetHistory, seams: Seams) {
    this.#history = history;
    this.#seams = seams;
    this.#random = seededRandom(history.seed);
    this.places = history.servers.map((plan) => new Place(plan, this));
    const identities = this.places.map(({ identity }) => identity);
    this.ledger = new Ledger(
      this.account,
      (identity) => identities.indexOf(identity) !== identities.lastIndexOf(identity),
    );
  }

  isUp(process: SimulatedServer): void {
    this.ledger.isUp(process);
  }

  hasReplaced(process: SimulatedServer, keyArn: string): void {
    this.ledger.hasReplaced(process, keyArn);
  }

  newProcess(place: Place): SimulatedServer {
    const { trustDomain, serverId, skewMs } = place.plan;
    this.#processes++;
    const process = new SimulatedServer({
      account: this.account,
      trustDomain,
      serverId,
      skewMs,
      seed: this.#history.seed + this.#processes,
      latencyMs: this.#history.latencyMs,
      settings: { ...this.#history.settings, enable_tag_based_key_discovery: place.isTagMode },
      seams: this.#seams,
    });
    process.onKilled = () => {
      this.ledger.isDown(process);
      // A crash that no step has planned the end of: the service manager restarts it.
      if (!place.isDead) place.restartIn(process.downMs ?? 30 * secondMs);
    };
    return process;
  }

  async run(): Promise<void> {
    await addStrangers(this.account, strangers);
    for (const place of this.places) place.restartIn(this.#random() * minuteMs);
    await this.#live(hourMs);
    for (const { waitMs, server, step } of this.#history.steps) {
      const place = this.places[server % this.places.length];
      if (place !== undefined) this.#take(step, place);
      await this.#live(waitMs);
    }
    await this.#end();
  }

  async #live(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 12 * hourMs) {
      await this.account.time.run(Math.min(left, 12 * hourMs));
      this.ledger.check();
    }
  }

  #take(step: Step, place: Place): void {
    const process = place.up;
    switch (step.kind) {
      case "rotate":
        void place.rotate(keyIds[step.keyIndex] ?? keyIds[0]);
        return;
      case "rotate together":
        for (const other of this.places) {
          if (other.identity === place.identity) void other.rotate(keyIds[step.keyIndex] ?? keyIds[0]);
        }
        return;
      case "sign":
        void process?.sign(keyIds[step.keyIndex] ?? keyIds[0]).catch(() => undefined);
        return;
      case "crash":
        this.#crash(place, step.downMs);
        return;
      case "crash in rotation":
        this.#crashAt(process, step);
        void place.rotate(keyIds[step.keyIndex] ?? keyIds[0]);
        return;
      case "crash at call":
        this.#crashAt(process, step);
        return;
      case "die":
        place.isDead = true;
        process?.kill();
        return;
      case "switch mode":
        place.isTagMode = !place.isTagMode;
        this.#crash(place, step.downMs);
        return;
      case "trouble": {
        this.#trouble(step);
        const keyId = keyIds[step.keyIndex];
        if (keyId !== undefined) void place.rotate(keyId);
      }
    }
  }

  #crash(place: Place, downMs: number): void {
    const process = place.process;
    if (process === undefined || !process.isAlive) return;
    process.downMs = downMs;
    process.kill();
  }

  #crashAt(
    process: SimulatedServer | undefined,
    { calls, when, downMs }: { calls: number; when: "before" | "after"; downMs: number },
  ): void {
    if (process === undefined) return;
    process.downMs = downMs;
    process.crashIn = { calls, when };
  }

  /** KMS throttles, or the network fails, for all servers alike. */
  #trouble({ fate, chance, forMs, operation }: Extract<Step, { kind: "trouble" }>): void {
    const end = this.account.time.now + forMs;
    const random = this.#random;
    this.account.fateOf = (caller, called) => {
      if (this.account.time.now >= end || (operation ?? called) !== called || random() >= chance) return undefined;
      if (caller instanceof SimulatedServer) this.ledger.isTroubled(caller);
      return fate;
    };
  }

  /** In the end only what is in use is left: with a server that prunes in each trust domain, and time. */
  async #end(): Promise<void> {
    this.account.fateOf = () => undefined;
    for (const trustDomain of new Set(this.places.map(({ plan }) => plan.trustDomain))) {
      const serverId = `janitor-of-${trustDomain.replace(".", "-dot-")}`;
      const janitor = new Place({ trustDomain, serverId, isTagMode: false, skewMs: 0 }, this);
      await this.account.time.until(janitor.start(), hourMs);
    }
    await this.#live(24 * dayMs);
    const { live, used } = this.ledger.counts();
    if (live !== used) this.ledger.violations.push(`in the end ${live} keys are live and ${used} in use`);
    for (const { process } of this.places) process?.kill();
  }
}

export interface Outcome {
  readonly violations: readonly string[];
  /** Calls that took effect. */
  readonly calls: number;
  /** Simulated days. */
  readonly days: number;
}

/** Lives through a history and says what was wrong. */
export async function liveFleet(history: FleetHistory, seams: Seams = {}): Promise<Outcome> {
  const fleet = new Fleet(history, seams);
  const start = fleet.account.time.now;
  let calls = 0;
  fleet.account.watchers.add({
    onEffect: ({ caller }) => {
      if (caller !== operator) calls++;
    },
  });
  await fleet.run();
  return { violations: fleet.ledger.violations, calls, days: (fleet.account.time.now - start) / dayMs };
}
