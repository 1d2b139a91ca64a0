/** The inventory over an account in memory, through weeks: what each key is taken for, and why. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { InventoryEvent, InventoryOptions } from "../../src/key-manager/inventory/inventory.ts";
import type { KeyRow } from "../../src/key-manager/inventory/key-row.ts";
import { takeInventory } from "../../src/key-manager/inventory/take-inventory.ts";
import type { Clock } from "../../src/key-manager/ports.ts";
import { awsKmsNames } from "../../src/plugin/aws-kms/names.ts";
import { kmsNames } from "../../src/plugin/kms/names.ts";
import { Account } from "../migrate/engine-kms.ts";

const dayMs = 86_400_000;
const trustDomain = "example.org";

/** Waits cost nothing; they are added up. */
function clockOf(account: Account): Clock & { readonly waitedMs: number } {
  let waitedMs = 0;
  return {
    now: () => account.now,
    elapsedMs: () => waitedMs,
    async sleep(ms) {
      waitedMs += ms;
    },
    random: () => 0.5,
    get waitedMs() {
      return waitedMs;
    },
  };
}

interface KeyInput {
  readonly Description?: string;
  readonly KeySpec?: string;
  readonly KeyUsage?: string;
}

class World {
  readonly account = new Account();
  readonly arns = new Map<string, string>();

  /** A key made as `aws_kms` makes it, with its alias. */
  async key(server: string, keyId: string, { named = true, ...input }: KeyInput & { named?: boolean } = {}) {
    const made = await this.account.call<{ KeyMetadata: { KeyId: string; Arn: string } }>("CreateKey", {
      KeySpec: "ECC_NIST_P256",
      KeyUsage: "SIGN_VERIFY",
      Description: `SPIRE_SERVER/${trustDomain}`,
      ...input,
    });
    const { KeyId } = made.KeyMetadata;
    if (named) await this.alias(awsKmsNames(trustDomain, server).aliasFor(keyId), KeyId);
    return KeyId;
  }

  async alias(AliasName: string, TargetKeyId: string) {
    await this.account.call("CreateAlias", { AliasName, TargetKeyId });
  }

  async refresh(AliasName: string, TargetKeyId: string) {
    await this.account.call("UpdateAlias", { AliasName, TargetKeyId });
  }

  days(count: number) {
    this.account.control.advance(count * dayMs);
  }

  async inventory(more: Partial<InventoryOptions> = {}) {
    const { kms, calls } = this.account.client();
    const clock = clockOf(this.account);
    const events: InventoryEvent[] = [];
    const options: InventoryOptions = {
      kms,
      clock,
      region: "us-east-2",
      names: awsKmsNames(trustDomain, ""),
      ownServerId: "own",
      staleAliasMs: 14 * dayMs,
      staleKeyMs: 2 * dayMs,
      isPruned: true,
      prunesAmbiguous: false,
      ...more,
    };
    for await (const event of takeInventory(options)) events.push(event);
    const rows = new Map<string, KeyRow>();
    for (const event of events) if (event.kind === "row") rows.set(event.row.keyId, event.row);
    const last = events.at(-1);
    assert.ok(last?.kind === "end");
    const row = (keyId: string): KeyRow => {
      const found = rows.get(keyId);
      assert.ok(found, `no row of ${keyId}`);
      return found;
    };
    return { rows, row, summary: last.summary, events, calls: calls(), waitedMs: clock.waitedMs };
  }
}

describe("takeInventory", () => {
  it("tells a key in use with all that is known of it", async () => {
    const world = new World();
    const keyId = await world.key("own", "x509-CA-A");
    world.days(3);
    const { row, summary } = await world.inventory();
    const { createdAt, refreshedAt, staleAt, aliasCreatedAt, arn, ...rest } = row(keyId);
    assert.equal(arn, `arn:aws:kms:us-east-2:111122223333:key/${keyId}`);
    assert.deepEqual(createdAt, new Date("2026-11-01T00:00:00Z"));
    assert.deepEqual(refreshedAt, createdAt);
    assert.deepEqual(aliasCreatedAt, createdAt);
    assert.deepEqual(staleAt, new Date("2026-11-15T00:00:00Z"));
    assert.deepEqual(rest, {
      region: "us-east-2",
      account: "111122223333",
      keyId,
      serverId: "own",
      isOwnServer: true,
      spireKeyId: "x509-CA-A",
      aliasName: "alias/SPIRE_SERVER/example_org/own/x509-CA-A",
      aliases: ["alias/SPIRE_SERVER/example_org/own/x509-CA-A"],
      description: "SPIRE_SERVER/example.org",
      keySpec: "ECC_NIST_P256",
      keyType: "ec-p256",
      keyState: "Enabled",
      deletionDate: undefined,
      monthlyCostUsd: 1,
      replicas: [],
      primaryRegion: undefined,
      members: [],
      class: "in use",
      why: "refreshed 3 days ago",
      prune: undefined,
    });
    assert.deepEqual(
      { ...summary, now: undefined },
      {
        now: undefined,
        byClass: {
          "in use": 1,
          stale: 0,
          orphaned: 0,
          duplicated: 0,
          unusable: 0,
          "pending deletion": 0,
          foreign: 0,
          unknown: 0,
        },
        keys: 1,
        servers: 1,
        monthlyCostUsd: 1,
        members: { ready: 0, pending: 0, missing: 0, unusable: 0, conflict: 0, "single-Region": 0, unknown: 0 },
        membersMonthlyCostUsd: 0,
        prunable: 0,
        foreignKeys: 0,
        namelessNotLookedAt: 0,
        membersNotLookedAt: 0,
        keysInRegion: 1,
        isComplete: true,
      },
    );
  });

  it("tells what is stale, and what the scans do with it, by their own rules", async () => {
    const world = new World();
    const dead = await world.key("dead", "x509-CA-A");
    const rescued = await world.key("dead", "x509-CA-B");
    await world.alias("alias/rescued", rescued);
    const odd = await world.key("dead", "JWT-Signer-A", { Description: "made by hand" });
    const living = await world.key("living", "x509-CA-A");
    world.days(15);
    await world.refresh("alias/SPIRE_SERVER/example_org/living/x509-CA-A", living);
    const { row, summary } = await world.inventory();
    assert.equal(row(living).class, "in use");
    assert.deepEqual(
      [row(dead), row(rescued), row(odd)].map(({ class: cls, prune, why }) => ({ cls, prune, why })),
      [
        {
          cls: "stale",
          prune: { kind: "goes", rule: "stale alias" },
          why: "not refreshed for 15 days; the scans schedule it for deletion",
        },
        {
          cls: "stale",
          prune: { kind: "stays", reason: "1 other aliases point to the key" },
          why: "not refreshed for 15 days; the scans leave it: 1 other aliases point to the key",
        },
        {
          cls: "stale",
          prune: { kind: "stays", reason: `the key's description "made by hand" is not this trust domain's` },
          why: `not refreshed for 15 days; the scans leave it: the key's description "made by hand" is not this trust domain's`,
        },
      ],
    );
    assert.equal(summary.prunable, 1);
  });

  it("tells orphans, before and after the scans look at them", async () => {
    const world = new World();
    const old = await world.key("s", "x509-CA-A", { named: false });
    world.days(3);
    const young = await world.key("s", "x509-CA-B", { named: false });
    const { row } = await world.inventory();
    assert.deepEqual([row(old).class, row(old).prune], ["orphaned", { kind: "goes", rule: "stale key" }]);
    assert.equal(row(young).class, "orphaned");
    assert.equal(row(young).prune, undefined);
    assert.equal(row(young).why, "no alias stands on it, made 0 h ago; the scans look at it when it is 48h old");
    assert.deepEqual(row(young).staleAt, new Date("2026-11-06T00:00:00Z"));
  });

  it("tells what a server cannot use, and what waits for its end", async () => {
    const world = new World();
    const disabled = await world.key("s", "x509-CA-A");
    await world.account.call("DisableKey", { KeyId: disabled });
    const pending = await world.key("s", "x509-CA-B");
    await world.account.call("ScheduleKeyDeletion", { KeyId: pending, PendingWindowInDays: 7 });
    const replaced = await world.key("s", "x509-CA-C", { named: false });
    await world.account.call("ScheduleKeyDeletion", { KeyId: replaced, PendingWindowInDays: 7 });
    const { row, summary } = await world.inventory();
    assert.equal(row(disabled).class, "unusable");
    assert.match(row(disabled).why, /the key is disabled; enable it/);
    assert.equal(row(pending).class, "unusable");
    assert.match(row(pending).why, /pending deletion; cancel that .* before 2026-11-08/);
    assert.equal(row(replaced).class, "pending deletion");
    assert.deepEqual(row(replaced).deletionDate, new Date("2026-11-08T00:00:00Z"));
    assert.equal(row(replaced).monthlyCostUsd, 0);
    assert.equal(summary.monthlyCostUsd, 1);
  });

  it("asks nothing about keys of others, unless it is asked to", async () => {
    const world = new World();
    const ours = await world.key("s", "x509-CA-A");
    const other = await world.key("s", "none", { named: false, Description: "billing" });
    await world.alias("alias/billing", other);
    const lookalike = await world.key("s", "none", { named: false, Description: "SPIRE_SERVER/example.organization" });
    await world.alias("alias/SPIRE_SERVER/example_organization/s/x509-CA-A", lookalike);
    const quiet = await world.inventory();
    assert.deepEqual([...quiet.rows.keys()], [ours]);
    assert.equal(quiet.summary.foreignKeys, 2);
    assert.equal(quiet.calls, 3, "ListAliases, ListKeys, one DescribeKey");
    const { row, summary } = await world.inventory({ foreign: true });
    assert.equal(row(other).class, "foreign");
    assert.equal(row(lookalike).class, "foreign");
    assert.equal(summary.foreignKeys, 0);
    assert.equal(summary.monthlyCostUsd, 1, "of ours");
  });

  it("tells a twin's key, and holds what could be the twin's", async () => {
    const world = new World();
    const twins = await world.key("s", "x509-CA-A", { Description: "SPIRE_SERVER/example_org" });
    const shared = await world.key("t", "x509-CA-A", { Description: "SPIRE_SERVER_KEY/example_org/t" });
    world.days(15);
    const { row } = await world.inventory({ prunesAmbiguous: true });
    assert.equal(row(twins).class, "foreign");
    assert.match(row(twins).why, /another trust domain's, which is written alike/);
    assert.equal(row(shared).class, "stale");
    assert.equal(row(shared).prune?.kind, "stays");
  });

  it("judges keys of the older plugin, which never get stale", async () => {
    const world = new World();
    const keyId = await world.key("", "", { named: false, Description: "SERVER_A/x509-CA-A" });
    await world.alias("alias/SERVER_A/x509-CA-A", keyId);
    world.days(400);
    const { row } = await world.inventory({ names: kmsNames("SERVER_A/"), ownServerId: "SERVER_A/", isPruned: false });
    assert.equal(row(keyId).class, "in use");
    assert.equal(row(keyId).serverId, "SERVER_A/");
    assert.equal(row(keyId).spireKeyId, "x509-CA-A");
    assert.equal(row(keyId).staleAt, undefined);
  });

  it("keeps to its rate, over all calls", async () => {
    const world = new World();
    for (let n = 0; n < 40; n++) await world.key(`s${n}`, "x509-CA-A");
    const { calls, waitedMs } = await world.inventory({ callsPerSecond: 10 });
    assert.equal(calls, 42);
    assert.ok(waitedMs >= 4_100, `${calls} calls in ${waitedMs} ms`);
  });

  it("tells the first rows while it still lists", async () => {
    const world = new World();
    for (let n = 0; n < 250; n++) await world.key(`s${n}`, "x509-CA-A");
    const { events } = await world.inventory();
    const firstRow = events.findIndex(({ kind }) => kind === "row");
    const listed = events.findIndex((event) => event.kind === "progress" && event.progress.aliasPages === 3);
    assert.ok(firstRow < listed, `row ${firstRow}, end of the listing ${listed}`);
  });
});
