/** One configuration after another: what goes on, what waits, and what ends with its predecessor. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  accountWithJournal,
  arnOf,
  callsOf,
  dayMs,
  generate,
  hourMs,
  lines,
  minuteMs,
  startServer,
  stateOf,
  tagMode,
  walksOf,
} from "../../test/simulation/scenes.ts";
import { SimulatedServer } from "../../test/simulation/simulated-server.ts";

describe("KeyManager", () => {
  it("refuses to serve before it is configured", () => {
    const server = new SimulatedServer({ account: accountWithJournal(), trustDomain: "example.org", serverId: "a" });
    assert.throws(() => server.keyManager.entries, { code: "FAILED_PRECONDITION" });
    assert.deepEqual(server.keyManager.gauges, { liveKeys: 0, deletionsQueued: 0 });
  });

  it("goes on with the old configuration when a new one fails, its tasks included", async () => {
    const account = accountWithJournal();
    const server = await startServer(account, "a");
    const keyArn = await generate(server);
    account.fateOf = (_, operation) => (operation === "ListAliases" ? "throttled" : undefined);
    await assert.rejects(account.time.until(server.configure({ stale_key_scan_interval: "1h" })), /ListAliases/);
    account.fateOf = () => undefined;
    account.control.clearJournal();
    await account.time.run(7 * hourMs);
    assert.equal(arnOf(server), keyArn);
    assert.ok(callsOf(account, "UpdateAlias").length >= 1);
    assert.ok(walksOf(account, "ListKeys").length <= 1, "not the rhythm that failed");
  });

  it("replaces the tasks of the old configuration by those of the new one", async () => {
    const account = accountWithJournal();
    const server = await startServer(account, "a", { stale_key_scan_interval: "1h" });
    await generate(server);
    await account.time.run(hourMs);
    await account.time.until(server.configure({ ...tagMode, stale_key_scan_interval: "1h" }));
    account.control.clearJournal();
    await account.time.run(10 * hourMs);
    assert.equal(callsOf(account, "ListKeys").length, 0);
    const { length } = callsOf(account, "GetResources");
    assert.ok(length >= 9 && length <= 11, `${length} scans by tags`);
  });

  it("lets a generation come to its end before a new configuration looks for keys", async () => {
    const account = accountWithJournal();
    const server = await startServer(account, "a", {}, { latencyMs: 500 });
    await generate(server);
    const generation = server.generate("x509-CA-A");
    const configuration = server.configure();
    await account.time.until(Promise.all([generation, configuration]));
    const [, fresh] = callsOf(account, "CreateKey");
    assert.match(JSON.stringify(fresh?.output), new RegExp(arnOf(server)));
    await account.time.run(minuteMs);
    assert.equal(await stateOf(account, arnOf(server)), "Enabled");
  });

  it("does not use, and so may prune, the keys of an identity that it has left", async () => {
    const account = accountWithJournal();
    const server = await startServer(account, "a");
    const left = await generate(server);
    await account.time.until(server.configure({ key_identifier_value: "b" }));
    assert.equal(server.entries.size, 0);
    await account.time.run(16 * dayMs);
    assert.equal(await stateOf(account, left), "PendingDeletion");
  });

  it("finishes deletions under way when it closes, and names those that it cannot", async () => {
    const account = accountWithJournal();
    const server = await startServer(account, "a");
    const first = await generate(server);
    await generate(server);
    await account.time.until(server.keyManager.close(AbortSignal.timeout(5_000)));
    assert.equal(await stateOf(account, first), "PendingDeletion");

    const other = await startServer(account, "b");
    const stuck = await generate(other);
    account.fateOf = (_, operation) => (operation === "ScheduleKeyDeletion" ? "throttled" : undefined);
    await generate(other);
    const giveUp = new AbortController();
    const closed = other.keyManager.close(giveUp.signal);
    await account.time.run(minuteMs);
    giveUp.abort();
    await closed;
    const [line] = lines(other, /^Key not yet scheduled for deletion/, "warn");
    assert.equal(line?.fields.key_arn, stuck);
    account.fateOf = () => undefined;
    await account.time.run(dayMs);
    assert.equal(await stateOf(account, stuck), "Enabled", "a closed one does nothing any more");
  });
});
