/** The seed's numbers, read from what reaches KMS: 6 h, 24 h, 48 h, two weeks, 48 h. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
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
  type Input,
  lines,
  minuteMs,
  operatorKey,
  secondMs,
  startServer,
  stateOf,
  tagMode,
  trustDomain,
  walksOf,
} from "../simulation/scenes.ts";

/** Distances between calls. */
const gaps = (calls: readonly { readonly time: Date }[]): number[] =>
  calls.slice(1).map(({ time }, index) => time.getTime() - (calls[index]?.time.getTime() ?? 0));

const within = (values: readonly number[], expected: number, slackMs: number, count: number): void => {
  assert.ok(values.length >= count, `${values.length} of ${count}`);
  for (const value of values) assert.ok(Math.abs(value - expected) <= slackMs, `${value} is not ${expected}`);
};

describe("the rhythm of the defaults", () => {
  it("refreshes each alias every 6 hours, from 10 minutes after the start on", async () => {
    const account = accountWithJournal();
    const server = await startServer(account, "a");
    const start = account.time.now;
    for (const keyId of ["x509-CA-A", "JWT-Signer-A"]) await generate(server, keyId);
    await account.time.run(10 * dayMs);
    for (const keyId of ["x509-CA-A", "JWT-Signer-A"]) {
      const updates = callsOf(account, "UpdateAlias").filter(({ input }) => input.AliasName === aliasOf("a", keyId));
      assert.ok((updates[0]?.time.getTime() ?? 0) - start < 11 * minuteMs);
      assert.ok(updates.every(({ input, outcome }) => input.TargetKeyId === arnOf(server, keyId) && outcome === "ok"));
      within(gaps(updates), 6 * hourMs, secondMs, 39);
    }
  });

  it("refreshes each key's tags every 6 hours in tag mode", async () => {
    const account = accountWithJournal();
    const server = await startServer(account, "a", tagMode);
    await generate(server);
    await account.time.run(5 * dayMs);
    within(gaps(callsOf(account, "TagResource")), 6 * hourMs, secondMs, 19);
  });

  it("scans aliases every 24 hours and keys every 48, first within 10 minutes of the start", async () => {
    const account = accountWithJournal();
    await startServer(account, "a");
    const start = account.time.now;
    const configured = account.control.journal().length;
    await account.time.run(20 * dayMs);
    const aliasWalks = walksOf(account, "ListAliases").filter(({ sequence }) => sequence > configured);
    const keyWalks = walksOf(account, "ListKeys");
    for (const walks of [aliasWalks, keyWalks]) assert.ok((walks[0]?.time.getTime() ?? 0) - start <= 10 * minuteMs);
    within(gaps(aliasWalks), 24 * hourMs, secondMs, 19);
    within(gaps(keyWalks), 48 * hourMs, secondMs, 9);
  });

  it("looks for stale tags every 48 hours in tag mode", async () => {
    const account = accountWithJournal();
    await startServer(account, "a", tagMode);
    const configured = account.control.journal().length;
    await account.time.run(20 * dayMs);
    const walks = callsOf(account, "GetResources").filter(({ sequence }) => sequence > configured);
    within(gaps(walks), 48 * hourMs, secondMs, 9);
  });

  it("spreads the first runs of a fleet", async () => {
    const account = accountWithJournal();
    const start = account.time.now;
    for (let seed = 1; seed <= 20; seed++) await startServer(account, `s${seed}`, {}, { seed: seed * 7919 });
    await account.time.run(11 * minuteMs);
    const minutes = new Set(
      walksOf(account, "ListKeys").map(({ time }) => Math.floor((time.getTime() - start) / minuteMs)),
    );
    assert.equal(walksOf(account, "ListKeys").length, 20);
    assert.ok(minutes.size >= 5, `${minutes.size} different minutes`);
  });
});

describe("the thresholds of the defaults", () => {
  it("prunes a dead server's alias and key after two weeks, not before, within a scan", async () => {
    const account = accountWithJournal();
    const watcher = await startServer(account, "a");
    const dead = await startServer(account, "ab");
    const keyArn = await generate(dead);
    await account.time.run(3 * dayMs);
    dead.kill();
    const lastSign = callsOf(account, "UpdateAlias").at(-1)?.time.getTime() ?? 0;
    await account.time.run(lastSign + 14 * dayMs - account.time.now);
    assert.equal(await stateOf(account, keyArn), "Enabled");
    assert.ok((await aliases(account)).has(aliasOf("ab")));
    await account.time.run(dayMs + 16 * minuteMs);
    const { KeyState, DeletionDate } = await describeKey(account, keyArn);
    assert.equal(KeyState, "PendingDeletion");
    assert.ok(!(await aliases(account)).has(aliasOf("ab")), "the alias is deleted");
    const [line] = lines(watcher, /^Key scheduled for deletion$/, "info");
    assert.equal(line?.fields.rule, "stale alias");
    assert.equal(line.fields.key_arn, keyArn);
    assert.equal(line.fields.alias_name, aliasOf("ab"));
    assert.match(String(line.fields.age), /^3(3[6-9]|[4-5]\d|60)h$/);
    assert.equal(line.fields.deletion_date, DeletionDate?.toISOString());
    assert.equal(DeletionDate?.getTime(), line.at + 7 * dayMs, "7 days unless configured");
  });

  it("prunes a key without alias after 48 hours, not before, within a scan", async () => {
    const account = accountWithJournal();
    const watcher = await startServer(account, "a");
    await account.time.run(hourMs);
    const keyArn = await operatorKey(account, `SPIRE_SERVER/${trustDomain}`);
    const builtIn = await operatorKey(account, "SPIRE_SERVER_KEY/example_org/x509-CA-A");
    const createdAt = account.time.now;
    await account.time.run(48 * hourMs);
    assert.equal(await stateOf(account, keyArn), "Enabled");
    await account.time.run(48 * hourMs + 15 * minuteMs);
    assert.equal(await stateOf(account, keyArn), "PendingDeletion");
    assert.equal(await stateOf(account, builtIn), "Enabled", "it may be of example_org");
    for (const { at, fields } of lines(watcher, /^Key scheduled for deletion$/, "info")) {
      assert.ok(at - createdAt >= 48 * hourMs && at - createdAt <= 96 * hourMs + 25 * minuteMs);
      assert.equal(fields.rule, "stale key");
      assert.match(String(fields.age), /^\d+h$/);
    }
  });

  it("finds a key that is old already within minutes of the start: no server lives for 48 hours", async () => {
    const account = accountWithJournal();
    const keyArn = await operatorKey(account, `SPIRE_SERVER/${trustDomain}`);
    await account.time.run(3 * dayMs);
    await startServer(account, "a");
    await account.time.run(26 * minuteMs);
    assert.equal(await stateOf(account, keyArn), "PendingDeletion");
  });

  it("prunes a dead server's tagged key after two weeks, inactive first", async () => {
    const account = accountWithJournal();
    const watcher = await startServer(account, "a", tagMode);
    const dead = await startServer(account, "ab", tagMode);
    const keyArn = await generate(dead);
    // Its alias is deleted: only the tags are left to tell.
    await account.call("DeleteAlias", { AliasName: aliasOf("ab") });
    dead.kill();
    await account.time.run(14 * dayMs - hourMs);
    assert.equal(await stateOf(account, keyArn), "Enabled");
    account.control.clearJournal();
    await account.time.run(2 * dayMs + 2 * hourMs);
    assert.equal(await stateOf(account, keyArn), "PendingDeletion");
    const changes = account.control.journal().filter(({ operation, input }) => {
      return /^(TagResource|ScheduleKeyDeletion)$/.test(operation) && keyArn.endsWith(String((input as Input).KeyId));
    });
    assert.deepEqual(
      changes.map(({ operation, outcome }) => [operation, outcome]),
      [
        ["TagResource", "ok"],
        ["ScheduleKeyDeletion", "ok"],
      ],
    );
    const [line] = lines(watcher, /^Key scheduled for deletion$/, "info");
    assert.equal(line?.fields.rule, "stale tags");
  });

  it("prunes an orphan of its own in tag mode after 48 hours", async () => {
    const account = accountWithJournal();
    const server = await startServer(account, "a", tagMode);
    const used = await generate(server);
    server.crashIn = { calls: 3, when: "before" }; // CreateKey, GetPublicKey, not UpdateAlias
    void server.generate("x509-CA-A").catch(() => undefined);
    await account.time.run(secondMs);
    assert.equal(server.isAlive, false);
    const orphan = String(callsOf(account, "GetPublicKey").at(-1)?.input.KeyId);
    assert.notEqual(orphan, used);
    const again = await startServer(account, "a", tagMode);
    assert.equal(arnOf(again), used, "the alias tells which of two keys is in use");
    await account.time.run(47 * hourMs);
    assert.equal(await stateOf(account, orphan), "Enabled");
    await account.time.run(49 * hourMs + 11 * minuteMs);
    assert.equal(await stateOf(account, orphan), "PendingDeletion");
    assert.equal(await stateOf(account, used), "Enabled");
  });
});
