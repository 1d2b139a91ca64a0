/**
 * There is one way to ScheduleKeyDeletion, and it looks at the key each time: also at what a scan by tags has found, and
 * also when KMS would not schedule it at first and its server comes back meanwhile.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import {
  accountWithJournal,
  aliasOf,
  callsOf,
  dayMs,
  lines,
  minuteMs,
  operatorKey,
  ownDescription,
  soonScans,
  startServer,
  stateOf,
  tagMode,
  tagsOf,
  tagsOfServerB,
} from "../simulation/scenes.ts";
import type { SimulatedAccount } from "../simulation/simulated-account.ts";

const domain = fileURLToPath(new URL("../../src/key-manager", import.meta.url));
const bare = (arn: string): string => arn.slice(arn.lastIndexOf("/") + 1);
const scheduled = (account: SimulatedAccount, keyArn: string) =>
  callsOf(account, "ScheduleKeyDeletion").filter(({ input }) => input.KeyId === bare(keyArn));

/** As a server of the built-in plugin in tag mode does: it refreshes tags, and no alias. */
const refreshTags = (account: SimulatedAccount, KeyId: string) => {
  const lastUpdate = String(Math.floor(account.control.now().getTime() / 1000));
  return account.call("TagResource", { KeyId, Tags: tagsOfServerB({ lastUpdate }) });
};

describe("the one way to ScheduleKeyDeletion", () => {
  it("is the attempt of the queue: nothing else in the domain calls it", () => {
    const callers = readdirSync(domain, { recursive: true, encoding: "utf8" }).filter(
      (file) =>
        file.endsWith(".ts") &&
        !file.endsWith(".test.ts") &&
        readFileSync(join(domain, file), "utf8").includes(".scheduleKeyDeletion("),
    );
    assert.deepEqual(callers, [join("removal", "deletion-attempt.ts")]);
  });

  it("looks at a key that was found by tags, marks it inactive, and only then schedules it", async () => {
    const account = accountWithJournal();
    const keyArn = await operatorKey(account, ownDescription, undefined, { Tags: tagsOfServerB() });
    await account.time.run(20 * dayMs);
    account.control.clearJournal();
    await startServer(account, "a", { ...soonScans, ...tagMode, prune_confirm_delay: "30m" });
    await account.time.run(29 * minuteMs);
    account.control.clearJournal();
    await account.time.run(3 * minuteMs);
    const about = account.control
      .journal()
      .filter(({ input }) => [keyArn, bare(keyArn)].includes(String((input as { KeyId?: string }).KeyId)))
      .map(({ operation }) => operation);
    assert.deepEqual(about, ["DescribeKey", "ListAliases", "GetKeyLastUsage", "TagResource", "ScheduleKeyDeletion"]);
    assert.equal(await stateOf(account, keyArn), "PendingDeletion");
    assert.equal((await tagsOf(account, keyArn)).get("spire-active"), "false");
  });

  it("leaves a key alone that was inactive before, until it is scheduled", async () => {
    const account = accountWithJournal();
    const Tags = tagsOfServerB({ active: "false" });
    const keyArn = await operatorKey(account, ownDescription, undefined, { Tags });
    await account.time.run(20 * dayMs);
    account.fateOf = (_, operation) => (operation === "ScheduleKeyDeletion" ? "throttled" : undefined);
    await startServer(account, "a", { ...soonScans, ...tagMode });
    await account.time.run(dayMs);
    assert.equal((await tagsOf(account, keyArn)).get("spire-active"), "false", "an end that was begun is not undone");
    account.fateOf = () => undefined;
    await account.time.run(dayMs);
    assert.equal(await stateOf(account, keyArn), "PendingDeletion");
    assert.deepEqual(
      callsOf(account, "TagResource").filter(({ input }) => bare(String(input.KeyId)) === bare(keyArn)),
      [],
    );
  });
});

describe("a server that comes back while KMS throttles the deletion of its key", () => {
  for (const [title, alias] of [
    ["found by its tags", undefined],
    ["found by its alias, in tag mode", aliasOf("b")],
  ] as const) {
    it(`keeps it by refreshing its tags: ${title}`, async () => {
      const account = accountWithJournal();
      const keyArn = await operatorKey(account, ownDescription, alias, { Tags: tagsOfServerB() });
      await account.time.run(20 * dayMs);
      account.fateOf = (_, operation) => (operation === "ScheduleKeyDeletion" ? "throttled" : undefined);
      const server = await startServer(account, "a", { ...soonScans, ...tagMode });
      await account.time.run(40 * minuteMs);
      assert.equal(await stateOf(account, keyArn), "Enabled");
      assert.ok(lines(server, /^Failed to schedule key deletion; it will be tried again/, "warn").length > 0);
      assert.equal((await tagsOf(account, keyArn)).get("spire-active"), "true", "its server would find it by its tags");
      await refreshTags(account, keyArn);
      account.fateOf = () => undefined;
      const before = scheduled(account, keyArn).length;
      for (let refreshes = 0; refreshes < 8; refreshes++) {
        await account.time.run(6 * 60 * minuteMs);
        await refreshTags(account, keyArn);
      }
      assert.equal(scheduled(account, keyArn).length, before);
      assert.equal(await stateOf(account, keyArn), "Enabled");
      assert.equal(lines(server, /is to stay after all/, "info").length, 1);
    });
  }

  it("keeps it even where the tagging API still shows the mark of the attempt that failed", async () => {
    const account = accountWithJournal();
    const keyArn = await operatorKey(account, ownDescription, undefined, { Tags: tagsOfServerB() });
    await account.time.run(20 * dayMs);
    account.fateOf = (_, operation) => (operation === "ScheduleKeyDeletion" ? "throttled" : undefined);
    const server = await startServer(account, "a", { ...soonScans, ...tagMode });
    await account.time.run(40 * minuteMs);
    const lastUpdate = String(Math.floor(account.control.now().getTime() / 1000));
    await account.call("TagResource", { KeyId: keyArn, Tags: tagsOfServerB({ active: "false", lastUpdate }) });
    account.fateOf = () => undefined;
    await account.time.run(30 * minuteMs);
    assert.equal(await stateOf(account, keyArn), "Enabled");
    assert.match(
      String(lines(server, /is to stay after all/, "info")[0]?.fields.reason),
      /not stale any more/,
      "the date decides, not the mark",
    );
  });
});
