/** A second live server with a copied identity is told at once that it is noticed, and can be refused. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Telemetry, TelemetryEvent } from "../../src/key-manager/telemetry.ts";
import {
  accountWithJournal,
  aliases,
  aliasOf,
  arnOf,
  generate,
  hourMs,
  lines,
  minuteMs,
  operatorKey,
  startServer,
  stateOf,
  trustDomain,
} from "../simulation/scenes.ts";
import type { SimulatedServer } from "../simulation/simulated-server.ts";

const conflicts = (server: SimulatedServer) => lines(server, /^Another process with this server's identity/, "error");
const bare = (arn: string): string => arn.slice(arn.lastIndexOf("/") + 1);

/** Counts what a server's telemetry is told. */
function counting(): { readonly telemetry: Telemetry; readonly count: (event: TelemetryEvent) => number } {
  const counts = new Map<TelemetryEvent, number>();
  const telemetry: Telemetry = {
    awsCall: () => undefined,
    awsRetry: () => undefined,
    taskDone: () => undefined,
    count: (event) => counts.set(event, (counts.get(event) ?? 0) + 1),
  };
  return { telemetry, count: (event) => counts.get(event) ?? 0 };
}

/** A server with a key, and a second one with the same identity that has found the same key and rotates it. */
async function copied(settings = {}) {
  const account = accountWithJournal();
  const { telemetry, count } = counting();
  const first = await startServer(account, "a", settings, { telemetry });
  const own = await generate(first);
  await account.time.run(7 * hourMs);
  const second = await startServer(account, "a", {}, { seed: 2 });
  assert.equal(arnOf(second), own);
  const theirs = await generate(second);
  return { account, first, second, own, theirs, count };
}

describe("a copied identity", () => {
  it("is told at error with what can be known of both, counted, and followed", async () => {
    const { account, first, theirs, own, count } = await copied();
    await account.time.run(7 * hourMs);
    const [line, ...more] = conflicts(first);
    assert.deepEqual(more, []);
    assert.equal(line?.fields.alias_name, aliasOf("a"));
    assert.equal(line?.fields.key_arn, theirs);
    assert.equal(line?.fields.own_key_arn, own);
    assert.match(String(line?.fields.moved_at), /^2026-01-01T07:/);
    assert.equal(line?.fields.own_configured_at, "2026-01-01T00:00:00.000Z");
    assert.match(String(line?.fields.own_process), /process/);
    assert.match(String(line?.fields.remedy), /key_identifier_value of its own.*CloudTrail/);
    assert.equal(count("identity_conflicts"), 1);
    assert.equal(arnOf(first), theirs);
  });

  it("is told before a rotation takes the key away from the other", async () => {
    const { first, theirs, count } = await copied();
    await generate(first);
    assert.equal(conflicts(first)[0]?.fields.key_arn, theirs);
    assert.equal(count("identity_conflicts"), 1);
  });

  it("with refuse_shared_identity is not followed, and no key is made until a restart", async () => {
    const { account, first, own, theirs } = await copied({ refuse_shared_identity: true });
    await account.time.run(7 * hourMs);
    assert.equal(arnOf(first), own);
    await assert.rejects(generate(first), {
      code: "FAILED_PRECONDITION",
      message: /another process with this server's identity has moved alias .*refuse_shared_identity/,
    });
    assert.equal((await aliases(account)).get(aliasOf("a")), bare(theirs));
    const restarted = await startServer(account, "a", { refuse_shared_identity: true }, { seed: 3 });
    assert.equal(arnOf(restarted), theirs);
    await generate(restarted);
    assert.deepEqual(conflicts(restarted), []);
  });

  it("shows by an alias that another process has made", async () => {
    for (const refuse of [false, true]) {
      const account = accountWithJournal();
      const server = await startServer(account, "a", { refuse_shared_identity: refuse });
      await account.time.run(hourMs);
      const theirs = await operatorKey(account, `SPIRE_SERVER/${trustDomain}`, aliasOf("a"));
      const generated = generate(server);
      if (refuse) await assert.rejects(generated, { code: "FAILED_PRECONDITION" });
      else await generated;
      assert.equal(conflicts(server)[0]?.fields.key_arn, theirs);
    }
  });
});

describe("no other process is told of", () => {
  it("after a restart, by kill or in order, right after a rotation", async () => {
    const account = accountWithJournal();
    for (let seed = 1; seed < 6; seed++) {
      const server = await startServer(account, "a", { refuse_shared_identity: true }, { seed });
      await generate(server);
      if (seed % 2 === 0) await account.time.run(minuteMs);
      server.kill();
      await account.time.run(seed % 3 === 0 ? 7 * hourMs : 0);
      assert.deepEqual(conflicts(server), []);
    }
  });

  it("in a rolling update whose old process rotates no more", async () => {
    const account = accountWithJournal();
    const old = await startServer(account, "a");
    await generate(old);
    const fresh = await startServer(account, "a", { refuse_shared_identity: true }, { seed: 2 });
    await account.time.run(7 * hourMs);
    old.kill();
    await generate(fresh);
    await account.time.run(14 * hourMs);
    assert.deepEqual([conflicts(old), conflicts(fresh)], [[], []]);
  });

  it("when a cold standby takes over and the first server stays away", async () => {
    const account = accountWithJournal();
    const first = await startServer(account, "a");
    await generate(first);
    first.kill();
    await account.time.run(48 * hourMs);
    const standby = await startServer(account, "a", { refuse_shared_identity: true }, { seed: 2 });
    await generate(standby);
    await account.time.run(14 * hourMs);
    assert.deepEqual(conflicts(standby), []);
  });

  it("over many rotations and reconfigurations of one process, also while KMS shows what is past", async () => {
    const account = accountWithJournal();
    const server = await startServer(account, "a", { refuse_shared_identity: true });
    for (let round = 0; round < 4; round++) {
      await generate(server);
      await account.time.until(server.configure());
      await generate(server);
      await account.time.run(7 * hourMs);
    }
    account.control.addFault({ kind: "consistency-lag", ms: 20_000, operation: "DescribeKey" });
    await generate(server);
    await account.time.run(30_000);
    await generate(server);
    assert.deepEqual(conflicts(server), []);
  });

  it("when an operator points the alias at the key where it stands", async () => {
    const account = accountWithJournal();
    const server = await startServer(account, "a", { refuse_shared_identity: true });
    const own = await generate(server);
    await account.call("UpdateAlias", { AliasName: aliasOf("a"), TargetKeyId: own });
    await account.time.run(7 * hourMs);
    await generate(server);
    assert.deepEqual(conflicts(server), []);
    await account.time.run(minuteMs);
    assert.equal(await stateOf(account, own), "PendingDeletion");
  });
});
