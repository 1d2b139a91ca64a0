/** What scans cost where most keys are foreign, by the journal of KMS. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  accountWithJournal,
  arnOf,
  callsOf,
  counts,
  dayMs,
  generate,
  hourMs,
  minuteMs,
  operatorKey,
  startServer,
  tagMode,
  walksOf,
} from "../simulation/scenes.ts";
import type { SimulatedAccount } from "../simulation/simulated-account.ts";

const foreignKeys = 10_000;

/** Every tenth one has an alias. */
async function addForeignKeys(account: SimulatedAccount, count = foreignKeys): Promise<void> {
  const spec = { KeySpec: "SYMMETRIC_DEFAULT", KeyUsage: "ENCRYPT_DECRYPT" };
  for (let index = 0; index < count; index++) {
    await operatorKey(account, `service ${index}`, index % 10 === 0 ? `alias/service-${index}` : undefined, spec);
  }
}

/** The most calls within any second. */
function busiestSecond(calls: readonly { readonly time: Date }[]): number {
  const times = calls.map(({ time }) => time.getTime());
  let first = 0;
  return times.reduce((most, time, last) => {
    while ((times[first] ?? time) <= time - 1_000) first++;
    return Math.max(most, last - first + 1);
  }, 0);
}

describe(`an account with ${foreignKeys} foreign keys`, () => {
  it("costs the first stale-key scan a DescribeKey each, spread out, and every later one less than 1 % of that", async (context) => {
    const account = accountWithJournal();
    await addForeignKeys(account);
    const server = await startServer(account, "a");
    for (const keyId of ["x509-CA-A", "x509-CA-B", "JWT-Signer-A", "JWT-Signer-B"]) await generate(server, keyId);
    account.control.clearJournal();
    await account.time.run(hourMs);
    const first = counts(account);
    const described = callsOf(account, "DescribeKey").filter(({ input }) => !input.KeyId?.startsWith("alias/"));
    context.diagnostic(
      `first hour: ${JSON.stringify(first)}, at most ${busiestSecond(described)} DescribeKey a second`,
    );
    assert.ok(described.length >= foreignKeys && described.length <= foreignKeys + 50);
    assert.ok(busiestSecond(described) <= 101);

    const costs: number[] = [];
    for (let day = 0; day < 100; day += 2) {
      account.control.clearJournal();
      await account.time.run(2 * dayMs);
      assert.equal(walksOf(account, "ListKeys").length, 1);
      const { ListKeys = 0 } = counts(account);
      const asked = callsOf(account, "DescribeKey").filter(({ input }) => !input.KeyId?.startsWith("alias/")).length;
      const aliasesOfKeys = callsOf(account, "ListAliases").filter(({ input }) => input.KeyId !== undefined).length;
      costs.push(ListKeys + asked + aliasesOfKeys);
    }
    context.diagnostic(`50 later scans: ${costs[0]} calls at first, at most ${Math.max(...costs)}`);
    assert.ok(costs.every((cost) => cost <= foreignKeys / 100));
    assert.ok(
      costs.slice(0, 30).every((cost) => cost <= 20),
      "nothing is asked again in two months",
    );
    assert.ok(Math.max(...costs) > 20, "in the long run it is, a few at a time");
  });

  it("in tag mode costs no ListKeys and no DescribeKey of a foreign key; a restart walks over no aliases", async (context) => {
    const account = accountWithJournal();
    await addForeignKeys(account);
    // A server that has run in alias mode so far, and one that will not come back.
    const before = await startServer(account, "a");
    const own = [await generate(before), await generate(before, "JWT-Signer-A")];
    const dead = await startServer(account, "ab");
    const left = await generate(dead);
    before.kill();
    dead.kill();
    account.control.clearJournal();

    const server = await startServer(account, "a", tagMode);
    assert.equal(walksOf(account, "ListAliases").length, 1, "the migration");
    context.diagnostic(`migration: ${JSON.stringify(counts(account))}`);
    await account.time.run(hourMs);
    server.kill();
    account.control.clearJournal();

    const restarted = await startServer(account, "a", tagMode);
    assert.deepEqual([arnOf(restarted), arnOf(restarted, "JWT-Signer-A")], own);
    context.diagnostic(`restart: ${JSON.stringify(counts(account))}`);
    assert.equal(callsOf(account, "ListAliases").length, 0);

    await account.time.run(30 * dayMs);
    context.diagnostic(`30 days: ${JSON.stringify(counts(account))}`);
    assert.equal(callsOf(account, "ListKeys").length, 0);
    const known = new Set([...own, left].map((arn) => arn.slice(arn.lastIndexOf("/") + 1)));
    const foreign = callsOf(account, "DescribeKey").filter(({ input: { KeyId = "" } }) => {
      return (
        !KeyId.startsWith("alias/SPIRE_SERVER/example_org/a") && !known.has(KeyId.slice(KeyId.lastIndexOf("/") + 1))
      );
    });
    assert.deepEqual(foreign, []);
  });
});

describe("throttled to 5 UpdateAlias a second, with 200 keys", () => {
  const quotas = { CreateKey: 1e6, CreateAlias: 1e6, UpdateAlias: 5 };

  it("a refresh finishes, and no signature waits", async (context) => {
    const account = accountWithJournal({ quotas });
    const server = await startServer(account, "a", { max_keys_created_per_hour: { number: "0" } });
    const keyIds = Array.from({ length: 200 }, (_, index) => `key-${index}`);
    for (const keyId of keyIds) await generate(server, keyId);
    await account.time.run(hourMs);
    account.control.clearJournal();
    // Another program in the account uses up most of the quota.
    await operatorKey(account, "other", "alias/other");
    const rival = { AliasName: "alias/other", TargetKeyId: await operatorKey(account, "other") };
    let isBusy = true;
    const compete = (): void => {
      if (!isBusy) return;
      void account.call("UpdateAlias", rival).catch(() => undefined);
      account.time.after(100, compete);
    };
    await account.time.run(4 * hourMs + 55 * minuteMs);
    compete();

    let signed = 0;
    for (let step = 0; step < 60 * 6; step++) {
      await account.time.run(5_000);
      const before = account.time.now;
      // Without waiting for anything: virtual time stands still while it signs.
      await server.sign(`key-${step % 200}`);
      assert.equal(account.time.now, before);
      signed++;
    }
    isBusy = false;
    const updates = callsOf(account, "UpdateAlias").filter(({ input }) => input.AliasName !== rival.AliasName);
    const refreshed = new Set(updates.filter(({ outcome }) => outcome === "ok").map(({ input }) => input.AliasName));
    const refused = updates.filter(({ error }) => error?.name === "ThrottlingException").length;
    const first = updates[0]?.time.getTime() ?? 0;
    const seconds = ((updates.at(-1)?.time.getTime() ?? 0) - first) / 1_000;
    context.diagnostic(
      `${refreshed.size} aliases in ${Math.round(seconds)} s, ${refused} refused; ${signed} signatures`,
    );
    assert.equal(refreshed.size, 200);
    assert.ok(refused > 0, "the quota was felt");
    assert.ok(seconds < 15 * 60);
  });
});
