/** Which keys tags show, when the aliases are looked at as well, and which of two keys is used. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  accountWithJournal,
  aliasOf,
  callsOf,
  operatorKey,
  tagsOf,
  trustDomain,
} from "../../../test/simulation/scenes.ts";
import type { SimulatedAccount } from "../../../test/simulation/simulated-account.ts";
import { simulatedClients } from "../../../test/simulation/simulated-sdk.ts";
import { seededRandom } from "../../../test/simulation/virtual-time.ts";
import { awsKmsNames } from "../../plugin/aws-kms/names.ts";
import type { LogFields } from "../ports.ts";
import { noTelemetry } from "../telemetry.ts";
import { discoverByTags } from "./tag-discovery.ts";

const hourMs = 3_600_000;
const identity = { trustDomain, serverId: "a" };
const description = `SPIRE_SERVER/${trustDomain}`;

const tags = (account: SimulatedAccount, keyId: string, more: Readonly<Record<string, string>> = {}) => ({
  Tags: Object.entries({
    "spire-server-td": trustDomain,
    "spire-server-id": "a",
    "spire-active": "true",
    "spire-key-id": keyId,
    "spire-last-update": String(Math.floor(account.time.now / 1000)),
    ...more,
  }).map(([TagKey, TagValue]) => ({ TagKey, TagValue })),
});

async function discover(account: SimulatedAccount) {
  const clock = account.time.clockFor(undefined, seededRandom(1));
  const { kms, tagging } = simulatedClients({
    clock,
    callerClock: clock,
    telemetry: noTelemetry,
    serverTime: () => new Date(account.time.now),
    passageOf: (operation, input) => ({ toMs: 0, backMs: 0, effect: () => account.call(operation, input) }),
  });
  const lines: { level: string; fields: LogFields }[] = [];
  const line =
    (level: string) =>
    (_: string, fields: LogFields = {}) =>
      lines.push({ level, fields });
  account.control.clearJournal();
  const found = await account.time.until(
    discoverByTags({
      kms,
      tagging,
      identity,
      clock,
      names: awsKmsNames(trustDomain, "a"),
      log: { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") },
      signal: undefined,
      freshTagMs: 7.5 * hourMs,
    }),
  );
  const entries = new Map([...found.entries].map(([keyId, { keyArn }]) => [keyId, keyArn]));
  return { ...found, entries, lines, walks: callsOf(account, "ListAliases").length };
}

describe("discoverByTags", () => {
  it("finds this server's keys, and no other's, without a walk over the aliases", async () => {
    const account = accountWithJournal();
    const own = await operatorKey(account, description, aliasOf("a"), tags(account, "x509-CA-A"));
    for (const more of [
      { "spire-server-id": "ab" },
      { "spire-server-td": "example.organic" },
      { "spire-active": "false" },
    ]) {
      await operatorKey(account, description, undefined, tags(account, "JWT-Signer-A", more));
    }
    const { entries, walks, sinceRefreshMs } = await discover(account);
    assert.deepEqual(entries, new Map([["x509-CA-A", own]]));
    assert.equal(walks, 0);
    assert.ok(sinceRefreshMs < 1_000);
  });

  it("walks when nothing is tagged, and tags what it finds, not yet with a fresh date", async () => {
    const account = accountWithJournal();
    const own = await operatorKey(account, description, aliasOf("a"));
    const first = await discover(account);
    assert.deepEqual(first.entries, new Map([["x509-CA-A", own]]));
    assert.equal(first.walks, 1);
    const lastUpdate = Number((await tagsOf(account, own)).get("spire-last-update")) * 1_000;
    assert.ok(account.time.now - lastUpdate > 7.5 * hourMs && account.time.now - lastUpdate < 8 * hourMs);
    assert.equal((await discover(account)).walks, 1, "it may have been cut off");
  });

  it("walks when the keys of an id have not been refreshed, are disabled or pending", async () => {
    for (const spoil of ["old", "disabled", "pending"]) {
      const account = accountWithJournal();
      const own = await operatorKey(account, description, aliasOf("a"), tags(account, "x509-CA-A"));
      await operatorKey(account, description, aliasOf("a", "x509-CA-B"), tags(account, "x509-CA-B"));
      if (spoil === "old") await account.time.run(8 * hourMs);
      if (spoil === "disabled") await account.call("DisableKey", { KeyId: own });
      if (spoil === "pending") await account.call("ScheduleKeyDeletion", { KeyId: own });
      assert.equal((await discover(account)).walks, 1, spoil);
    }
  });

  it("walks when an alias of ours stands on a usable key without our tags, and the alias wins", async () => {
    const account = accountWithJournal();
    await operatorKey(account, description, undefined, tags(account, "x509-CA-A"));
    const behindAlias = await operatorKey(account, description, aliasOf("a"));
    const journalKey = await operatorKey(account, description, aliasOf("a", "JWT-Signer-B"));
    const { entries, walks } = await discover(account);
    assert.equal(walks, 1);
    assert.equal(entries.get("x509-CA-A"), behindAlias);
    assert.equal(entries.get("JWT-Signer-B"), journalKey);
  });

  it("does not walk for an alias that is another trust domain's", async () => {
    const account = accountWithJournal();
    await operatorKey(account, description, aliasOf("a"), tags(account, "x509-CA-A"));
    await operatorKey(account, "SPIRE_SERVER/example_org", aliasOf("a", "x509-CA-B"));
    const { entries, walks } = await discover(account);
    assert.deepEqual([...entries.keys()], ["x509-CA-A"]);
    assert.equal(walks, 0);
  });

  it("of several keys takes the one behind the alias, else the newest, and asks for a refresh at once", async () => {
    const account = accountWithJournal();
    const keys: string[] = [];
    for (let count = 0; count < 3; count++) {
      keys.push(await operatorKey(account, description, undefined, tags(account, "x509-CA-A")));
      await account.time.run(1_000);
    }
    await account.call("CreateAlias", { AliasName: aliasOf("a"), TargetKeyId: keys[1] });
    const byAlias = await discover(account);
    assert.equal(byAlias.entries.get("x509-CA-A"), keys[1]);
    assert.deepEqual(
      byAlias.duplicates?.map(({ key, isChosenByAlias }) => [key.arn, isChosenByAlias]).sort(),
      [...[keys[0], keys[2]].map((arn) => [arn, true])].sort(),
    );
    assert.equal(byAlias.lines.filter(({ level }) => level === "warn").length, 1);
    await account.call("DeleteAlias", { AliasName: aliasOf("a") });
    const newest = await discover(account);
    assert.equal(newest.entries.get("x509-CA-A"), keys[2]);
    assert.equal(newest.sinceRefreshMs, Number.POSITIVE_INFINITY);
    assert.ok(newest.duplicates?.every(({ isChosenByAlias }) => !isChosenByAlias));
  });

  it("takes the tagged key when the one behind the alias is pending deletion, not when it is disabled", async () => {
    const account = accountWithJournal();
    const tagged = await operatorKey(account, description, undefined, tags(account, "x509-CA-A"));
    const behindAlias = await operatorKey(account, description, aliasOf("a"));
    await account.call("DisableKey", { KeyId: behindAlias });
    const disabled = await discover(account);
    assert.equal(disabled.entries.size, 0);
    assert.deepEqual(
      disabled.unusable.map(({ keyArn }) => keyArn),
      [behindAlias],
    );
    await account.call("ScheduleKeyDeletion", { KeyId: behindAlias });
    const pending = await discover(account);
    assert.equal(pending.entries.get("x509-CA-A"), tagged);
    assert.equal(pending.sinceRefreshMs, Number.POSITIVE_INFINITY);
  });

  it("passes over keys that the tagging API still shows and KMS does not know any more", async () => {
    const account = accountWithJournal();
    const deleted = await operatorKey(account, description, undefined, tags(account, "JWT-Signer-A"));
    await operatorKey(account, description, aliasOf("a"), tags(account, "x509-CA-A"));
    const id = deleted.slice(deleted.lastIndexOf("/") + 1);
    account.control.addFault({
      operation: "DescribeKey",
      kind: "error",
      name: "NotFoundException",
      match: (input) => String((input as { KeyId: string }).KeyId).endsWith(id),
    });
    assert.deepEqual([...(await discover(account)).entries.keys()], ["x509-CA-A"]);
  });

  it("finds keys whose id does not fit into a tag as it stands", async () => {
    const account = accountWithJournal();
    const own = await operatorKey(account, description, aliasOf("a", "50_25"), tags(account, "=50=25"));
    assert.deepEqual((await discover(account)).entries, new Map([["50%", own]]));
  });

  it("does not advise to delete an alias where there is none", async () => {
    const account = accountWithJournal();
    const tagged = await operatorKey(account, description, undefined, tags(account, "x509-CA-A"));
    await account.call("DisableKey", { KeyId: tagged });
    const behindAlias = await operatorKey(account, description, aliasOf("a", "x509-CA-B"), tags(account, "x509-CA-B"));
    await account.call("DisableKey", { KeyId: behindAlias });
    const { unusable } = await discover(account);
    const trouble = new Map(unusable.map(({ keyArn, trouble }) => [keyArn, trouble]));
    assert.match(trouble.get(tagged) ?? "", /tag-resource --key-id \S+ --tags TagKey=spire-active,TagValue=false/);
    assert.doesNotMatch(trouble.get(tagged) ?? "", /alias/);
    assert.match(trouble.get(behindAlias) ?? "", /delete-alias/);
  });
});
