/** The calls of a rotation in their order, and what stays when one of them is refused, lost or not waited for. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  accountWithJournal,
  aliases,
  aliasOf,
  arnOf,
  callsOf,
  generate,
  hourMs,
  lines,
  minuteMs,
  operatorKey,
  secondMs,
  startServer,
  stateOf,
  trustDomain,
} from "../../../test/simulation/scenes.ts";
import type { SimulatedAccount } from "../../../test/simulation/simulated-account.ts";
import type { KeyManagerError } from "../errors.ts";

const bare = (arn: string): string => arn.slice(arn.lastIndexOf("/") + 1);

/** The keys that were made, in order. */
const created = (account: SimulatedAccount): readonly string[] =>
  callsOf(account, "CreateKey").map(({ output }) => (output as { KeyMetadata: { Arn: string } }).KeyMetadata.Arn);

const scheduled = (account: SimulatedAccount): readonly string[] =>
  callsOf(account, "ScheduleKeyDeletion")
    .filter(({ outcome }) => outcome === "ok")
    .map(({ input }) => String(input.KeyId));

/** A server with one key, whose next calls of an operation meet a fate. */
async function rotating(operation: string, fate: "throttled" | "lost" | "reset", times: number) {
  const account = accountWithJournal();
  const server = await startServer(account, "a");
  const old = await generate(server);
  let left = times;
  account.fateOf = (_, called) => (called === operation && left-- > 0 ? fate : undefined);
  return { account, server, old };
}

describe("a rotation", () => {
  it("makes one key, moves the alias and schedules the old key, in this order", async () => {
    const account = accountWithJournal();
    const server = await startServer(account, "a");
    const old = await generate(server);
    account.control.clearJournal();
    const fresh = await generate(server);
    await account.time.run(secondMs);
    const operations = account.control.journal().map(({ operation }) => operation);
    assert.deepEqual(
      operations.filter((operation) => operation !== "DescribeKey"),
      ["CreateKey", "GetPublicKey", "UpdateAlias", "ListAliases", "ScheduleKeyDeletion"],
    );
    assert.deepEqual(scheduled(account), [bare(old)]);
    assert.equal((await aliases(account)).get(aliasOf("a")), bare(fresh));
  });

  it("whose UpdateAlias is refused leaves the old key in use and schedules the new one", async () => {
    const { account, server, old } = await rotating("UpdateAlias", "throttled", 3);
    await assert.rejects(generate(server), (error: KeyManagerError) => error.code === "RESOURCE_EXHAUSTED");
    await account.time.run(minuteMs);
    assert.equal(arnOf(server), old);
    assert.deepEqual(scheduled(account), [bare(created(account)[1] ?? "")]);
    assert.equal(await stateOf(account, old), "Enabled");
  });

  it("whose alias turns up on the new key after all keeps that key", async () => {
    const account = accountWithJournal();
    const server = await startServer(account, "a", {}, { latencyMs: 400 });
    const old = await generate(server);
    account.fateOf = (_, operation) => (operation === "UpdateAlias" ? "throttled" : undefined);
    await assert.rejects(generate(server), /failed to update alias/);
    account.fateOf = () => undefined;
    const fresh = created(account)[1] ?? "";
    await account.call("UpdateAlias", { AliasName: aliasOf("a"), TargetKeyId: fresh });
    await account.time.run(5 * minuteMs);
    assert.equal(arnOf(server), fresh);
    assert.deepEqual(scheduled(account), [bare(old)]);
  });

  it("whose UpdateAlias took effect without an answer stands, although the caller was told otherwise", async () => {
    const { account, server, old } = await rotating("UpdateAlias", "lost", 3);
    // It cannot even look: nothing is known until the network is back.
    const { fateOf } = account;
    let isCut = true;
    account.fateOf = (caller, called) =>
      fateOf(caller, called) ?? (isCut && called === "DescribeKey" ? "reset" : undefined);
    await assert.rejects(generate(server), /failed to update alias/);
    const fresh = created(account)[1] ?? "";
    await account.time.run(minuteMs);
    assert.deepEqual(scheduled(account), [], "neither goes until that is certain");
    isCut = false;
    await account.time.run(10 * minuteMs);
    assert.equal(arnOf(server), fresh);
    assert.deepEqual(scheduled(account), [bare(old)]);
    assert.equal(await stateOf(account, fresh), "Enabled");
  });

  it("that comes while an earlier one is not settled ends on the later key", async () => {
    const { account, server } = await rotating("UpdateAlias", "lost", 3);
    const { fateOf } = account;
    let isCut = true;
    account.fateOf = (caller, called) =>
      fateOf(caller, called) ?? (isCut && called === "DescribeKey" ? "reset" : undefined);
    await assert.rejects(generate(server), /failed to update alias/);
    isCut = false;
    const later = await generate(server);
    await account.time.run(hourMs);
    assert.equal(arnOf(server), later);
    assert.equal((await aliases(account)).get(aliasOf("a")), bare(later));
    const states = await Promise.all(created(account).map((arn) => stateOf(account, arn)));
    assert.deepEqual(states, ["PendingDeletion", "PendingDeletion", "Enabled"]);
  });

  it("that the caller gives up before the alias is asked for is taken back", async () => {
    const account = accountWithJournal();
    const server = await startServer(account, "a", {}, { latencyMs: 400 });
    await generate(server);
    const old = arnOf(server);
    const outcome = server.generate("x509-CA-A", "ec-p256", 50);
    await assert.rejects(account.time.until(outcome), /deadline exceeded/);
    await account.time.run(minuteMs);
    assert.equal(arnOf(server), old);
    assert.deepEqual(scheduled(account), [bare(created(account)[1] ?? "")]);
  });

  it("moves an alias that it was not told of, and schedules the key that was behind it for deletion", async () => {
    const account = accountWithJournal();
    const server = await startServer(account, "a");
    const unknown = await operatorKey(account, `SPIRE_SERVER/${trustDomain}`, aliasOf("a"));
    await account.time.run(20 * minuteMs);
    const fresh = await generate(server);
    await account.time.run(minuteMs);
    assert.equal((await aliases(account)).get(aliasOf("a")), bare(fresh));
    assert.equal(await stateOf(account, unknown), "PendingDeletion");
  });

  it("leaves a disabled key behind such an alias alone", async () => {
    const account = accountWithJournal();
    const server = await startServer(account, "a");
    const evidence = await operatorKey(account, `SPIRE_SERVER/${trustDomain}`, aliasOf("a"));
    await account.call("DisableKey", { KeyId: evidence });
    await generate(server);
    await account.time.run(hourMs);
    assert.equal(await stateOf(account, evidence), "Disabled");
  });

  it("whose CreateKey was answered into the void leaves a key that the stale-key scan finds", async () => {
    const { account, server, old } = await rotating("CreateKey", "lost", 1);
    await assert.rejects(generate(server), /failed to create key/);
    assert.equal(callsOf(account, "CreateKey").length, 2, "never repeated");
    const orphan = created(account)[1] ?? "";
    assert.equal(lines(server, /^KMS may have created a key/, "warn").length, 1);
    await account.time.run(4 * 24 * hourMs + 30 * minuteMs);
    assert.equal(await stateOf(account, orphan), "PendingDeletion");
    assert.equal(await stateOf(account, old), "Enabled");
  });
});
