/** Histories: servers that come and go for months in one account, faults and crashes included. */
import * as fc from "fast-check";
import { Ledger } from "./ledger.ts";
import { type Fate, SimulatedAccount } from "./simulated-account.ts";
import { type Seams, type Settings, SimulatedServer } from "./simulated-server.ts";
import { seededRandom } from "./virtual-time.ts";

const secondMs = 1_000;
const minuteMs = 60_000;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

export interface ServerPlan {
  readonly trustDomain: string;
  readonly serverId: string;
  readonly isTagMode: boolean;
  readonly skewMs: number;
}

export type Step =
  | { readonly kind: "rotate"; readonly keyIndex: number }
  /** All servers of one identity at the same moment. */
  | { readonly kind: "rotate together"; readonly keyIndex: number }
  | { readonly kind: "sign"; readonly keyIndex: number }
  | { readonly kind: "crash"; readonly downMs: number }
  /** At the n-th call of a rotation. */
  | {
      readonly kind: "crash in rotation";
      readonly keyIndex: number;
      readonly calls: number;
      readonly when: "before" | "after";
      readonly downMs: number;
    }
  /** At the n-th call from now, whatever it is for. */
  | {
      readonly kind: "crash at call";
      readonly calls: number;
      readonly when: "before" | "after";
      readonly downMs: number;
    }
  | { readonly kind: "die" }
  | { readonly kind: "switch mode"; readonly downMs: number }
  | {
      readonly kind: "trouble";
      readonly fate: Exclude<Fate, undefined>;
      readonly chance: number;
      readonly forMs: number;
      /** Undefined: every operation. */
      readonly operation: string | undefined;
      /** The key rotated meanwhile, if any. */
      readonly keyIndex: number;
    };

export interface History {
  readonly servers: readonly ServerPlan[];
  readonly steps: readonly { readonly waitMs: number; readonly server: number; readonly step: Step }[];
  readonly latencyMs: number;
  readonly seed: number;
  readonly settings: Settings;
}

const keyIds = ["x509-CA-A", "JWT-Signer-B"] as const;

/** The default thresholds, with a rhythm as slow as they allow, so that months take few calls. */
export const slowSettings: Settings = {
  alias_refresh_interval: "144h",
  stale_alias_scan_interval: "144h",
  stale_key_scan_interval: "168h",
};

/** Trust domains of which one's name begins the other's, and such as are written the same in aliases. */
export const lookAlikes = {
  prefixes: ["example.org", "example.organic"],
  segments: ["a.b", "a_b"],
} as const satisfies Record<string, readonly [string, string]>;

const duration = fc.constantFrom(
  10 * secondMs,
  5 * minuteMs,
  3 * hourMs,
  20 * hourMs,
  3 * dayMs,
  9 * dayMs,
  20 * dayMs,
);
const downMs = fc.constantFrom(secondMs, 10 * minuteMs, 13 * hourMs, 4 * dayMs, 18 * dayMs);
const keyIndex = fc.nat(keyIds.length - 1);
const calls = fc.integer({ min: 1, max: 9 });
const when = fc.constantFrom("before", "after");

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("rotate"), keyIndex }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("rotate together"), keyIndex }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("sign"), keyIndex }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("crash"), downMs }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("crash in rotation"), keyIndex, calls, when, downMs }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("crash at call"), calls, when, downMs }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("die") }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("switch mode"), downMs }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("trouble"),
      fate: fc.constantFrom("throttled", "lost", "reset"),
      chance: fc.constantFrom(0.2, 0.6, 1),
      forMs: fc.constantFrom(20 * secondMs, 10 * minuteMs, 5 * hourMs),
      operation: fc.constantFrom(undefined, "ScheduleKeyDeletion", "UpdateAlias", "DescribeKey", "TagResource"),
      keyIndex: fc.integer({ min: -1, max: keyIds.length - 1 }),
    }),
  },
) as fc.Arbitrary<Step>;

/** Trust domains and server ids that look alike; two servers of one id are replicas. */
const serverPlan = (trustDomains: readonly [string, string]): fc.Arbitrary<ServerPlan> =>
  fc
    .record({
      trustDomain: fc.constantFrom(...trustDomains),
      serverId: fc.constantFrom("a", "ab", "a/b"),
      isTagMode: fc.boolean(),
      skewMs: fc.constantFrom(0, 0, 0, 20 * dayMs, -20 * dayMs),
    })
    // Servers of `a.b` and `a_b` with one id would fight for their aliases, which is refused and tested elsewhere.
    .map((plan) => (plan.trustDomain === "a_b" ? { ...plan, serverId: `${plan.serverId}_` } : plan));

export const historyArbitrary = (
  trustDomains: readonly [string, string],
  settings: Settings,
  maxSteps: number,
): fc.Arbitrary<History> =>
  fc.record({
    servers: fc.array(serverPlan(trustDomains), { minLength: 3, maxLength: 5, size: "max" }),
    steps: fc.array(fc.record({ waitMs: duration, server: fc.nat(4), step }), {
      minLength: 3,
      maxLength: maxSteps,
      size: "max",
    }),
    latencyMs: fc.constantFrom(0, 0, 60),
    seed: fc.nat(1_000_000),
    settings: fc.constant(settings),
  });

/** A server through its restarts. */
class Place {
  readonly plan: ServerPlan;
  readonly #life: Life;
  isTagMode: boolean;
  isDead = false;
  process: SimulatedServer | undefined;
  starts = 0;

  constructor(plan: ServerPlan, life: Life) {
    this.plan = plan;
    this.#life = life;
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
    const process = this.#life.newProcess(this);
    this.process = process;
    try {
      await process.configure();
    } catch {
      process.kill();
      return;
    }
    this.#life.ledger.isUp(process);
    for (const keyId of keyIds) await this.#ensure(process, keyId);
  }

  restartIn(downMs: number): void {
    this.#life.account.time.after(downMs, () => void this.start());
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
    if (old !== undefined && process.entries.get(keyId)?.keyArn !== old) this.#life.ledger.hasReplaced(process, old);
  }

  /** SPIRE asks again every ten seconds, for a while. */
  async #ensure(process: SimulatedServer, keyId: string): Promise<void> {
    for (let attempt = 0; attempt < 30 && process.isAlive && !process.entries.has(keyId); attempt++) {
      await process.generate(keyId).catch(() => process.clock.sleep(10 * secondMs));
    }
  }
}

class Life {
  readonly account = new SimulatedAccount();
  readonly ledger: Ledger;
  readonly places: readonly Place[];
  readonly #history: History;
  readonly #seams: Seams;
  readonly #random: () => number;
  #processes = 0;

  constructor(history: History, seams: Seams) {
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
    await this.#strangers();
    for (const place of this.places) place.restartIn(this.#random() * minuteMs);
    await this.#live(hourMs);
    for (const { waitMs, server, step } of this.#history.steps) {
      const place = this.places[server % this.places.length];
      if (place !== undefined) this.#take(step, place);
      await this.#live(waitMs);
    }
    await this.#end();
  }

  /** Keys and aliases that only look as if they were SPIRE's. */
  async #strangers(): Promise<void> {
    const strangers: readonly (readonly [description: string, alias: string | undefined])[] = [
      ["SPIRE_SERVER/example.or", undefined],
      ["SPIRE_SERVER/example.organization", undefined],
      ["SPIRE_SERVER/example.org/x509-CA-A", undefined],
      ["SPIRE_SERVER_KEY/example_orga/x509-CA-A", undefined],
      ["our SPIRE_SERVER/example.org", "alias/SPIRE_SERVER/example_org/a/b/c/d"],
      ["billing", "alias/SPIRE_SERVER/example_org/old/x509-CA-A"],
      ["billing", "alias/SPIRE_SERVER/example_organic/ab"],
      ["billing", "alias/SPIRE_SERVER/a_b/x/y"],
      ["", undefined],
      ["SPIRE_SERVER/example.org", "alias/prod"],
      ["SPIRE_SERVER/a.b", "alias/SPIRE_SERVER-a_b/a/x509-CA-A"],
    ];
    for (const [Description, AliasName] of strangers) {
      const input = { Description, KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" };
      const { KeyMetadata } = (await this.account.call("CreateKey", input)) as { KeyMetadata: { KeyId: string } };
      if (AliasName !== undefined) {
        await this.account.call("CreateAlias", { AliasName, TargetKeyId: KeyMetadata.KeyId });
      }
    }
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
        void process?.keyManager.current
          .signData(keyIds[step.keyIndex] ?? keyIds[0], new Uint8Array(32), { hashAlgorithm: "SHA256" })
          .catch(() => undefined);
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
export async function live(history: History, seams: Seams = {}, watch?: (life: Life) => void): Promise<Outcome> {
  const life = new Life(history, seams);
  watch?.(life);
  const start = life.account.time.now;
  let calls = 0;
  life.account.watchers.add({
    onEffect: () => {
      calls++;
    },
  });
  await life.run();
  return { violations: life.ledger.violations, calls, days: (life.account.time.now - start) / dayMs };
}
