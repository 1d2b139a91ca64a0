/**
 * Random histories of an identity with keys in three Regions: an active server and a standby, Regions that come and go, processes
 * that are killed, operators who delete aliases and promote. Judged from KMS's side at each deletion, and at the end once all has
 * been quiet. `REGION_LIVES=1000` lives through as many, `REGION_SEED=n` through others.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type PromotionContext, planPromotion, promoteKey } from "../../src/key-manager/regions/promotion.ts";
import { awsKmsNames } from "../../src/plugin/aws-kms/names.ts";
import type { Call } from "../simulation/simulated-account.ts";
import type { Settings, SimulatedServer } from "../simulation/simulated-server.ts";
import type { Trouble } from "../simulation/troubles.ts";
import { seededRandom } from "../simulation/virtual-time.ts";
import { operatorClients } from "./operator-clients.ts";
import { aliasOf, bare, type KeyInRegion, threeRegions, trustDomain, World } from "./three-regions.ts";

const secondMs = 1_000;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const lives = Number(process.env.REGION_LIVES ?? 6);
const firstSeed = Number(process.env.REGION_SEED ?? 1);
const keyIds = ["x509-CA-A", "x509-CA-B", "JWT-Signer-A"];
const kinds: readonly Trouble[] = [
  "never arrives",
  "hangs",
  "internal",
  "internal, done",
  "page",
  "reset",
  "lost",
  "throttled",
  "denied",
  "slow",
];

type Side = "active" | "standby";

class Life {
  readonly world = new World();
  readonly violations: string[] = [];
  readonly #random: () => number;
  readonly #seed: number;
  readonly #servers = new Map<Side, SimulatedServer>();
  /** The Region of the active server, and that of the standby. */
  #places: Readonly<Record<Side, string>>;
  #processes = 0;
  #judging: Promise<unknown> = Promise.resolve();

  constructor(seed: number) {
    this.#seed = seed;
    this.#random = seededRandom(seed);
    const [active = "", standby = ""] = threeRegions;
    this.#places = { active, standby };
    this.world.account.watchers.add({ onTry: (call) => this.#judge(call) });
  }

  async live(): Promise<void> {
    for (const side of ["active", "standby"] as const) await this.#start(side);
    for (let step = 0; step < 40; step++) await this.#step();
    this.world.troubles.clear();
    for (const side of ["active", "standby"] as const) await this.#start(side);
    for (const keyId of keyIds) await this.#generate(keyId);
    // Refreshes, deletions that gave up, and the scans that find them.
    await this.world.time.run(9 * dayMs);
    await this.#judging;
    await this.#judgeAtRest();
  }

  async #step(): Promise<void> {
    const { world } = this;
    const chance = this.#random();
    if (chance < 0.3) await this.#generate(this.#pick(keyIds));
    else if (chance < 0.5) await this.#sign(this.#pick(["active", "standby"] as const));
    else if (chance < 0.62) world.troubles.set(this.#pick(threeRegions), this.#pick(kinds));
    else if (chance < 0.75) world.troubles.delete(this.#pick(threeRegions));
    else if (chance < 0.83) await this.#start(this.#pick(["active", "standby"] as const));
    else if (chance < 0.86) await this.#deleteAlias();
    else if (chance < 0.9) await this.#promote();
    const pauses = [0, secondMs, 20 * secondMs, 10 * 60 * secondMs, 5 * hourMs, 13 * hourMs];
    await world.time.run(this.#pick(pauses) * this.#random());
  }

  #pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.#random() * items.length)];
    assert.ok(item !== undefined);
    return item;
  }

  /** A new process in place of the one before. One that finds its keys in no Region stays down. */
  async #start(side: Side): Promise<void> {
    this.#servers.get(side)?.kill();
    const region = this.#places[side];
    const settings: Settings = {
      region,
      replica_regions: threeRegions.filter((other) => other !== region),
      prune_confirm_delay: "1m",
    };
    const seed = this.#seed * 1_000 + this.#processes++;
    try {
      this.#servers.set(side, await this.world.server(settings, { seed, latencyMs: 20 }));
    } catch {
      this.#servers.delete(side);
    }
  }

  async #generate(keyId: string): Promise<void> {
    const server = this.#servers.get("active");
    if (server !== undefined) await this.world.generate(server, keyId).catch(() => undefined);
  }

  async #sign(side: Side): Promise<void> {
    const server = this.#servers.get(side);
    const [keyId] = [...(server?.entries.keys() ?? [])];
    // What the server hands out it has verified.
    if (server !== undefined && keyId !== undefined) await this.world.sign(server, keyId).catch(() => undefined);
  }

  async #deleteAlias(): Promise<void> {
    const region = this.world.in(this.#pick(threeRegions));
    await region.call("DeleteAlias", { AliasName: aliasOf(this.#pick(keyIds)) }).catch(() => undefined);
  }

  /** The servers change places, as the page about the drill says. */
  async #promote(): Promise<void> {
    const { world } = this;
    if (world.troubles.size > 0) return;
    const { active, standby } = this.#places;
    const { kmsIn, clock } = operatorClients(world);
    const context: PromotionContext = { region: standby, kmsIn, names: awsKmsNames(trustDomain, "root"), clock };
    const plan = await world.time.until(planPromotion(context));
    if (plan.refusals.length > 0 || plan.warnings.length > 0 || plan.promote.length === 0) return;
    // What is not replicated yet would be left behind with the other server.
    const there = await world.in(active).aliases();
    if (plan.promote.length < [...there.keys()].filter((name) => name.startsWith(aliasOf(""))).length) return;
    this.#servers.get("active")?.kill();
    for (const key of plan.promote) await world.time.until(promoteKey(key, context));
    this.#places = { active: standby, standby: active };
    await this.#start("active");
    await this.#start("standby");
  }

  #judge({ operation, input, region, caller }: Call): void {
    if (operation !== "ScheduleKeyDeletion" || caller === "operator") return;
    const id = bare(String(Reflect.get(input, "KeyId")));
    this.#judging = Promise.all([this.#judging, this.#judgeDeletion(id, region ?? "")]);
  }

  async #judgeDeletion(id: string, region: string): Promise<void> {
    const { world } = this;
    const key = await world.in(region).key(id);
    for (const where of threeRegions) {
      for (const [alias, target] of await world.in(where).aliases()) {
        if (target === id)
          this.violations.push(`${id} is scheduled in ${region}, and ${alias} stands on it in ${where}`);
      }
    }
    if (key.MultiRegionConfiguration?.MultiRegionKeyType !== "PRIMARY") return;
    for (const { Region } of key.MultiRegionConfiguration.ReplicaKeys) {
      const { KeyState } = await world.in(Region).key(id);
      if (!KeyState.startsWith("Pending"))
        this.violations.push(`${id}: the primary goes before its replica in ${Region}`);
    }
  }

  async #judgeAtRest(): Promise<void> {
    const active = this.#servers.get("active");
    assert.ok(active !== undefined, "the active server runs");
    const inUse = new Set([...active.entries.values()].map(({ keyArn }) => bare(keyArn)));
    assert.deepEqual([...active.entries.keys()].sort(), [...keyIds].sort());
    for (const where of threeRegions) {
      const view = this.world.in(where);
      const aliases = await view.aliases();
      for (const [keyId, { keyArn }] of active.entries) {
        const stands = aliases.get(aliasOf(keyId));
        if (stands !== bare(keyArn)) this.violations.push(`${keyId} in ${where} is ${stands}, and not ${bare(keyArn)}`);
      }
      for (const key of await view.keys()) this.#judgeKeyAtRest(key, inUse, where);
    }
  }

  #judgeKeyAtRest({ KeyId, KeyState }: KeyInRegion, inUse: ReadonlySet<string>, where: string): void {
    if (inUse.has(KeyId) ? KeyState !== "Enabled" : !KeyState.startsWith("Pending")) {
      this.violations.push(`${KeyId} in ${where} is ${KeyState}, and ${inUse.has(KeyId) ? "in use" : "not in use"}`);
    }
  }
}

describe("random histories over three Regions", () => {
  for (let seed = firstSeed; seed < firstSeed + lives; seed++) {
    it(`keep every key in use and leave none behind: ${seed}`, async () => {
      const life = new Life(seed);
      await life.live();
      assert.deepEqual(life.violations, []);
    });
  }
});
