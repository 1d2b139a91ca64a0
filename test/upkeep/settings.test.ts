/** The settings of upkeep, each with what it changes in KMS and what the log says. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { KeyManagerError } from "../../src/key-manager/errors.ts";
import {
  accountWithJournal,
  aliases,
  aliasOf,
  arnOf,
  callsOf,
  dayMs,
  describeKey,
  generate,
  hourMs,
  lines,
  minuteMs,
  operatorKey,
  startServer,
  stateOf,
  tagMode,
  tagsOf,
  trustDomain,
} from "../simulation/scenes.ts";
import type { SimulatedAccount } from "../simulation/simulated-account.ts";
import { SimulatedServer } from "../simulation/simulated-server.ts";

const description = `SPIRE_SERVER/${trustDomain}`;
const mutating = /^(CreateKey|CreateAlias|UpdateAlias|DeleteAlias|ScheduleKeyDeletion|TagResource)$/;

/** Everything there is to prune: a dead server's key, an orphan, both old enough. */
async function withStaleKeys(account: SimulatedAccount) {
  const dead = await startServer(account, "dead");
  const behindAlias = await generate(dead);
  dead.kill();
  const orphan = await operatorKey(account, description);
  await account.time.run(15 * dayMs);
  return { behindAlias, orphan };
}

describe("strict_key_discovery", () => {
  /** A server whose three keys are usable, disabled, and pending deletion. */
  async function damaged() {
    const account = accountWithJournal();
    const server = await startServer(account, "a");
    const good = await generate(server, "x509-CA-A");
    const disabled = await generate(server, "x509-CA-B");
    const pending = await generate(server, "JWT-Signer-A");
    await account.call("DisableKey", { KeyId: disabled });
    await account.call("ScheduleKeyDeletion", { KeyId: pending, PendingWindowInDays: 7 });
    server.kill();
    return { account, good, disabled, pending };
  }

  for (const [mode, settings] of [
    ["alias mode", {}],
    ["tag mode", tagMode],
  ] as const) {
    it(`off, ${mode}: bad keys are reported loudly with what to do about them, and the server starts with the rest`, async () => {
      const { account, good, disabled, pending } = await damaged();
      const server = await startServer(account, "a", settings);
      assert.deepEqual([...server.entries.keys()], ["x509-CA-A"]);
      assert.equal(arnOf(server), good);
      const reports = lines(server, /^Found an unusable SPIRE key/, "error");
      assert.deepEqual(reports.map(({ fields }) => fields.key_arn).sort(), [disabled, pending].sort());
      const reasonOf = (arn: string) => String(reports.find(({ fields }) => fields.key_arn === arn)?.fields.reason);
      assert.match(reasonOf(disabled), new RegExp(`aws kms enable-key --key-id ${disabled}`));
      assert.match(reasonOf(pending), new RegExp(`aws kms cancel-key-deletion --key-id ${pending}`));
    });

    it(`on, ${mode}: they fail Configure, each by name`, async () => {
      const { account, disabled, pending } = await damaged();
      const start = startServer(account, "a", { ...settings, strict_key_discovery: true });
      await assert.rejects(start, (error: KeyManagerError) => {
        assert.equal(error.code, "FAILED_PRECONDITION");
        for (const text of [disabled, pending, "enable-key", "cancel-key-deletion", aliasOf("a", "x509-CA-B")]) {
          assert.ok(error.message.includes(text), `${text} in ${error.message}`);
        }
        return true;
      });
    });
  }
});

describe("prune_dry_run", () => {
  it("says what would go, line by line, and changes nothing", async () => {
    const account = accountWithJournal();
    const { behindAlias, orphan } = await withStaleKeys(account);
    const server = await startServer(account, "a", { prune_dry_run: true });
    account.control.clearJournal();
    await account.time.run(3 * dayMs);
    const changes = account.control.journal().filter(({ operation }) => mutating.test(operation));
    assert.deepEqual(changes, []);
    const told = lines(server, /^Would be scheduled for deletion \(prune_dry_run\)$/, "info");
    const first = new Map(told.map(({ fields }) => [fields.key_arn, fields]));
    assert.deepEqual([...first.keys()].sort(), [behindAlias, orphan].sort());
    assert.equal(first.get(behindAlias)?.rule, "stale alias");
    assert.equal(first.get(behindAlias)?.alias_name, aliasOf("dead"));
    assert.equal(first.get(orphan)?.rule, "stale key");
    assert.match(String(first.get(orphan)?.age), /^4\d\dh$|^3\d\dh$/);
  });

  it("holds in tag mode, for orphans found at the start too", async () => {
    const account = accountWithJournal();
    const before = await startServer(account, "a", tagMode);
    const old = await generate(before);
    await account.time.run(hourMs);
    // A rotation that ended just before the replaced key was marked inactive.
    before.crashIn = { calls: 5, when: "before" };
    void before.generate("x509-CA-A").catch(() => undefined);
    await account.time.run(minuteMs);
    assert.equal(before.isAlive, false);
    const server = await startServer(account, "a", { ...tagMode, prune_dry_run: true });
    assert.notEqual(arnOf(server), old);
    await account.time.run(5 * dayMs);
    assert.equal(await stateOf(account, old), "Enabled");
    assert.equal((await tagsOf(account, old)).get("spire-active"), "true");
    const rules = lines(server, /^Would be scheduled/, "info").map(({ fields }) => fields.rule);
    assert.deepEqual([...new Set(rules)].sort(), ["superseded", "unused"]);
    server.kill();
    await startServer(account, "a", tagMode);
    await account.time.run(minuteMs);
    assert.equal(await stateOf(account, old), "PendingDeletion");
  });

  it("does not keep a rotation from replacing a key", async () => {
    const account = accountWithJournal();
    const server = await startServer(account, "a", { prune_dry_run: true });
    const old = await generate(server);
    await generate(server);
    await account.time.run(minuteMs);
    assert.equal(await stateOf(account, old), "PendingDeletion");
  });
});

describe("max_deletions_per_scan", () => {
  for (const [mode, settings, more] of [
    ["alias mode", {}, {}],
    [
      "tag mode",
      tagMode,
      {
        Tags: Object.entries({
          "spire-server-td": trustDomain,
          "spire-server-id": "dead",
          "spire-key-id": "x509-CA-A",
          "spire-active": "true",
          "spire-last-update": "1700000000",
        }).map(([TagKey, TagValue]) => ({ TagKey, TagValue })),
      },
    ],
  ] as const) {
    it(`${mode}: stops there, says so at error, and goes on next time, the oldest first`, async () => {
      const account = accountWithJournal();
      const keys: string[] = [];
      for (let count = 0; count < 25; count++) {
        keys.push(await operatorKey(account, description, undefined, more));
        await account.time.run(hourMs);
      }
      await account.time.run(15 * dayMs);
      const server = await startServer(account, "a", { ...settings, max_deletions_per_scan: { number: "10" } });
      const pending = async () =>
        (await Promise.all(keys.map((key) => stateOf(account, key)))).map((state) => state === "PendingDeletion");
      await account.time.run(hourMs);
      assert.deepEqual(
        await pending(),
        keys.map((_, index) => index < 10),
      );
      const [line] = lines(server, /max_deletions_per_scan/, "error");
      assert.deepEqual([line?.fields.max_deletions_per_scan, line?.fields.left], [10, 15]);
      await account.time.run(2 * dayMs);
      assert.deepEqual(
        await pending(),
        keys.map((_, index) => index < 20),
      );
      await account.time.run(2 * dayMs);
      assert.deepEqual(
        await pending(),
        keys.map(() => true),
      );
      assert.equal(lines(server, /max_deletions_per_scan/, "error").length, 2);
      assert.equal(lines(server, /^Key scheduled for deletion$/, "info").length, 25, "one line each");
    });
  }

  it("is not used up by keys that cannot be scheduled", async () => {
    const account = accountWithJournal();
    const protectedKeys: string[] = [];
    for (let count = 0; count < 10; count++) protectedKeys.push(await operatorKey(account, description));
    await account.time.run(hourMs);
    const other = await operatorKey(account, description);
    await account.time.run(3 * dayMs);
    const ids = protectedKeys.map((arn) => arn.slice(arn.lastIndexOf("/") + 1));
    account.control.addFault({
      operation: "ScheduleKeyDeletion",
      kind: "error",
      name: "AccessDeniedException",
      match: (input) => ids.includes(String((input as { KeyId: string }).KeyId)),
    });
    await startServer(account, "a", { max_deletions_per_scan: { number: "10" } });
    await account.time.run(hourMs);
    assert.equal(await stateOf(account, other), "Enabled");
    await account.time.run(2 * dayMs + hourMs);
    assert.equal(await stateOf(account, other), "PendingDeletion");
  });
});

describe("key_tags and retag_existing_keys", () => {
  const key_tags = { Team: "security", Cost: "42" };

  for (const [mode, settings, own] of [
    ["alias mode", {}, []],
    ["tag mode", tagMode, ["spire-active", "spire-key-id", "spire-last-update", "spire-server-id", "spire-server-td"]],
  ] as const) {
    it(`${mode}: new keys carry key_tags`, async () => {
      const account = accountWithJournal();
      const server = await startServer(account, "a", { ...settings, key_tags });
      const tags = await tagsOf(account, await generate(server));
      assert.deepEqual([...tags.keys()].sort(), ["Cost", "Team", ...own]);
      assert.deepEqual([tags.get("Team"), tags.get("Cost")], ["security", "42"]);
    });

    it(`${mode}: existing keys keep their tags, unless retag_existing_keys brings them up to date`, async () => {
      const account = accountWithJournal();
      const before = await startServer(account, "a", { ...settings, key_tags: { Team: "old", Kept: "yes" } });
      const keyArn = await generate(before);
      before.kill();
      const without = await startServer(account, "a", { ...settings, key_tags });
      assert.equal((await tagsOf(account, keyArn)).get("Team"), "old");
      without.kill();
      await startServer(account, "a", { ...settings, key_tags, retag_existing_keys: true });
      const tags = await tagsOf(account, keyArn);
      assert.deepEqual([tags.get("Team"), tags.get("Cost"), tags.get("Kept")], ["security", "42", "yes"]);
    });
  }
});

describe("between alias mode and tag mode", () => {
  it("a server that goes back and forth, rotating in between, loses no key", async () => {
    const account = accountWithJournal();
    const keyIds = ["x509-CA-A", "x509-CA-B", "JWT-Signer-A", "JWT-Signer-B", "bundle-acme-x"];
    let expected = new Map<string, string>();
    for (const [round, settings] of [{}, tagMode, {}, tagMode, {}, tagMode].entries()) {
      const server = await startServer(account, "a", settings, { seed: round });
      const found = new Map([...server.entries].map(([keyId, { keyArn }]) => [keyId, keyArn]));
      assert.deepEqual(found, expected, `round ${round}`);
      // One id more, and one rotated, in each round; then short and long times until the next.
      for (const keyId of [keyIds[round], keyIds[round - 1]]) if (keyId !== undefined) await generate(server, keyId);
      expected = new Map([...server.entries].map(([keyId, { keyArn }]) => [keyId, keyArn]));
      await account.time.run(round % 2 === 0 ? 10 * minuteMs : 20 * hourMs);
      server.kill();
    }
    await startServer(account, "a", tagMode);
    await account.time.run(20 * dayMs);
    const { Keys } = (await account.call("ListKeys", {})) as { Keys: readonly { KeyId: string }[] };
    const live = await Promise.all(Keys.map(async ({ KeyId }) => await describeKey(account, KeyId)));
    assert.deepEqual(
      live
        .filter(({ KeyState }) => KeyState === "Enabled")
        .map(({ Arn }) => Arn)
        .sort(),
      [...expected.values()].sort(),
    );
  });

  it("a key id that is new in a short time of alias mode is found by its alias: SPIRE's own ids are asked for", async () => {
    const account = accountWithJournal();
    const inTagMode = await startServer(account, "a", tagMode);
    await generate(inTagMode, "x509-CA-A");
    await account.time.run(hourMs);
    inTagMode.kill();
    const inAliasMode = await startServer(account, "a");
    const added = await generate(inAliasMode, "x509-CA-B");
    inAliasMode.kill();
    const again = await startServer(account, "a", tagMode);
    assert.equal(arnOf(again, "x509-CA-B"), added);
  });

  it("a migration that is cut off anywhere is completed by the next start", async () => {
    for (let calls = 1; calls <= 40; calls++) {
      const account = accountWithJournal();
      const before = await startServer(account, "a");
      // The last one in the order of names is not of the CA journal, whose aliases are asked for anyway.
      const keyIds = ["JWT-Signer-A", "bundle-acme-x", "x509-CA-A", "z-acme"];
      const keys: string[] = [];
      for (const keyId of keyIds) keys.push(await generate(before, keyId));
      before.kill();
      const cut = new SimulatedServer({ account, trustDomain, serverId: "a", settings: tagMode });
      cut.crashIn = { calls, when: "after" };
      void cut.configure();
      await account.time.run(minuteMs);
      const again = await startServer(account, "a", tagMode);
      assert.deepEqual(
        keyIds.map((keyId) => again.entries.get(keyId)?.keyArn),
        keys,
        `cut off at call ${calls}`,
      );
      for (const key of keys) assert.equal((await tagsOf(account, key)).get("spire-active"), "true");
      if (cut.isAlive) return; // it came to its end
    }
    assert.fail("the migration takes more calls than were tried");
  });

  it("the tagging API lags: a key that it does not show yet is found by its alias", async () => {
    const account = accountWithJournal();
    const before = await startServer(account, "a", tagMode);
    const old = await generate(before, "x509-CA-A");
    await account.time.run(hourMs);
    account.control.addFault({ operation: "GetResources", kind: "consistency-lag", ms: 60_000 });
    const keys = [await generate(before, "x509-CA-A"), await generate(before, "JWT-Signer-A")];
    before.kill();
    const again = await startServer(account, "a", tagMode);
    assert.deepEqual([arnOf(again, "x509-CA-A"), arnOf(again, "JWT-Signer-A")], keys);
    assert.notEqual(old, keys[0]);
  });

  it("of several keys under one id the one that the alias stands on is used, else the newest; the rest goes in time", async () => {
    const account = accountWithJournal();
    const before = await startServer(account, "a", tagMode);
    const used = await generate(before);
    before.kill();
    const Tags = [...(await tagsOf(account, used))].map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
    await account.time.run(1_000);
    const newer = await operatorKey(account, description, undefined, { Tags });
    const first = await startServer(account, "a", tagMode);
    assert.equal(arnOf(first), used);
    await account.time.run(hourMs);
    assert.equal(await stateOf(account, newer), "Enabled", "perhaps a replica is just making it");
    first.kill();
    await account.call("DeleteAlias", { AliasName: aliasOf("a") });
    const second = await startServer(account, "a", tagMode);
    assert.equal(arnOf(second), newer);
    await account.time.run(hourMs);
    assert.equal((await aliases(account)).get(aliasOf("a")), newer.slice(newer.lastIndexOf("/") + 1));
    assert.equal(await stateOf(account, used), "Enabled", "only the newest: no proof that the other one is unused");
    await account.time.run(5 * dayMs);
    assert.equal(await stateOf(account, used), "PendingDeletion");
    assert.equal(await stateOf(account, newer), "Enabled");
  });

  it("a crash between spire-active=false and ScheduleKeyDeletion heals", async () => {
    const account = accountWithJournal();
    const watcher = await startServer(account, "a", tagMode);
    const dead = await startServer(account, "dead", tagMode);
    const keyArn = await generate(dead);
    await account.call("DeleteAlias", { AliasName: aliasOf("dead") });
    dead.kill();
    await account.time.run(13 * dayMs);
    account.watchers.add({
      onEffect: ({ operation, input, caller }) => {
        const isDeactivation = operation === "TagResource" && JSON.stringify(input).includes('"false"');
        if (isDeactivation && caller === watcher) watcher.kill();
      },
    });
    await account.time.run(4 * dayMs);
    assert.equal(watcher.isAlive, false);
    assert.equal((await tagsOf(account, keyArn)).get("spire-active"), "false");
    assert.equal(await stateOf(account, keyArn), "Enabled");
    const next = await startServer(account, "a", tagMode);
    await account.time.run(hourMs);
    assert.equal(await stateOf(account, keyArn), "PendingDeletion");
    assert.equal(lines(next, /^Key scheduled for deletion$/, "info")[0]?.fields.rule, "inactive");
  });

  it("a deletion that KMS refuses marks the key active again, says what is missing and is done later", async () => {
    const account = accountWithJournal();
    const watcher = await startServer(account, "a", tagMode);
    const dead = await startServer(account, "dead", tagMode);
    const keyArn = await generate(dead);
    await account.call("DeleteAlias", { AliasName: aliasOf("dead") });
    dead.kill();
    const fault = account.control.addFault({
      operation: "ScheduleKeyDeletion",
      kind: "error",
      name: "AccessDeniedException",
      message: "not authorized to perform: kms:ScheduleKeyDeletion",
    });
    await account.time.run(17 * dayMs);
    assert.ok(fault.hits > 0);
    assert.equal((await tagsOf(account, keyArn)).get("spire-active"), "true");
    const [line] = lines(watcher, /^Failed to schedule key deletion; it will be tried again/, "warn");
    assert.match(String(line?.fields.reason), /allow kms:ScheduleKeyDeletion /);
    assert.equal(line?.fields.rule, "stale tags");
    assert.equal(lines(watcher, /^Key deletion gave up/, "error")[0]?.fields.key_arn, keyArn);
    account.control.clearFaults();
    await account.time.run(2 * dayMs);
    assert.equal(await stateOf(account, keyArn), "PendingDeletion");
    assert.equal((await tagsOf(account, keyArn)).get("spire-active"), "false");
  });
});

describe("clocks that are wrong", () => {
  for (const skewDays of [-40, 40]) {
    for (const [mode, settings] of [
      ["alias mode", {}],
      ["tag mode", tagMode],
    ] as const) {
      it(`${mode}: a server ${skewDays} days off deletes nothing that is in use, nor loses its own`, async () => {
        const account = accountWithJournal();
        const right = await startServer(account, "right", settings);
        const keys = [await generate(right)];
        const wrong = await startServer(account, "wrong", settings, { skewMs: skewDays * dayMs });
        keys.push(await generate(wrong));
        await account.time.run(30 * dayMs);
        // Caught between CreateKey and CreateAlias by every scan there is.
        right.crashIn = { calls: 3, when: "before" };
        void right.generate("JWT-Signer-A").catch(() => undefined);
        await account.time.run(hourMs);
        await startServer(account, "other", settings, { skewMs: skewDays * dayMs });
        await account.time.run(hourMs);
        for (const key of keys) assert.equal(await stateOf(account, key), "Enabled");
        const young = callsOf(account, "GetPublicKey").at(-1)?.input.KeyId ?? "";
        assert.equal(await stateOf(account, young), "Enabled");
        assert.ok(!keys.includes(young));
      });
    }
  }
});

describe("a key that an operator rescued", () => {
  for (const [mode, settings] of [
    ["alias mode", {}],
    ["tag mode", tagMode],
  ] as const) {
    it(`${mode}: with an alias of the operator's own it is not scheduled again`, async () => {
      const account = accountWithJournal();
      const server = await startServer(account, "a", settings);
      const old = await generate(server);
      await generate(server);
      await account.time.run(hourMs);
      assert.equal(await stateOf(account, old), "PendingDeletion");
      await account.call("CancelKeyDeletion", { KeyId: old });
      await account.call("CreateAlias", { AliasName: "alias/rescued", TargetKeyId: old });
      await account.call("EnableKey", { KeyId: old });
      await account.time.run(30 * dayMs);
      assert.equal(await stateOf(account, old), "Enabled");
    });
  }

  for (const [mode, settings] of [
    ["alias mode", {}],
    ["tag mode", tagMode],
  ] as const) {
    it(`${mode}: behind the server's own alias it is in use again after a restart`, async () => {
      const account = accountWithJournal();
      const server = await startServer(account, "a", settings);
      const old = await generate(server);
      const replacement = await generate(server);
      await account.time.run(hourMs);
      server.kill();
      await account.call("CancelKeyDeletion", { KeyId: old });
      await account.call("UpdateAlias", { AliasName: aliasOf("a"), TargetKeyId: old });
      await account.call("EnableKey", { KeyId: old });
      const again = await startServer(account, "a", settings);
      assert.equal(arnOf(again), old);
      await account.time.run(12 * dayMs);
      assert.equal(await stateOf(account, old), "Enabled");
      await assert.rejects(stateOf(account, replacement), /does not exist/, "what had replaced it is deleted instead");
    });
  }

  it("or made anew: an alias that is in use again is not deleted with its former key", async () => {
    const account = accountWithJournal();
    await startServer(account, "a");
    const dead = await startServer(account, "dead");
    const former = await generate(dead);
    dead.kill();
    const fresh = await operatorKey(account, description, "alias/keep");
    account.watchers.add({
      onEffect: ({ operation, input }) => {
        if (operation !== "ScheduleKeyDeletion") return;
        const { KeyId } = input as { KeyId: string };
        if (former.endsWith(KeyId))
          void account.call("UpdateAlias", { AliasName: aliasOf("dead"), TargetKeyId: fresh });
      },
    });
    await account.time.run(16 * dayMs);
    assert.equal(await stateOf(account, former), "PendingDeletion");
    assert.equal((await aliases(account)).get(aliasOf("dead")), fresh.slice(fresh.lastIndexOf("/") + 1));
  });
});
