/** A machine whose clock is set, or that has slept, stays alive to the others and to SPIRE. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  accountWithJournal,
  aliasOf,
  arnOf,
  callsOf,
  dayMs,
  generate,
  hourMs,
  lines,
  minuteMs,
  secondMs,
  startServer,
  stateOf,
  tagMode,
} from "../simulation/scenes.ts";

const scans = { stale_alias_threshold: "24h", stale_alias_scan_interval: "6h", scan_start_delay: "0s" };

describe("a clock that is set back by 20 days", () => {
  for (const [mode, settings] of [
    ["aliases", {}],
    ["tags", tagMode],
  ] as const) {
    it(`keeps refreshing ${mode}, so that no other server takes the keys for stale`, async () => {
      const account = accountWithJournal();
      const server = await startServer(account, "b", settings, { skewMs: 20 * dayMs });
      const keyArn = await generate(server);
      await account.time.run(7 * hourMs);
      server.setClock(0);
      await account.time.run(hourMs);
      account.control.clearJournal();
      await startServer(account, "a", { ...scans, ...settings });
      await account.time.run(3 * dayMs);
      assert.ok(callsOf(account, "UpdateAlias").filter(({ input }) => input.AliasName === aliasOf("b")).length >= 11);
      assert.equal(await stateOf(account, keyArn), "Enabled");
    });
  }

  it("does not count keys that were made before as made within the hour", async () => {
    const account = accountWithJournal();
    const settings = { max_keys_created_per_hour: { number: "2" } };
    const server = await startServer(account, "a", settings, { skewMs: 20 * dayMs });
    for (const keyId of ["one", "two"]) await generate(server, keyId);
    server.setClock(0);
    await assert.rejects(generate(server, "three"), { code: "RESOURCE_EXHAUSTED" });
    await account.time.run(hourMs + minuteMs);
    await generate(server, "three");
  });

  it("tries a deletion again as often as before, and gives up after a day", async () => {
    const account = accountWithJournal();
    const server = await startServer(account, "a");
    const old = await generate(server);
    account.fateOf = (_, operation) => (operation === "ScheduleKeyDeletion" ? "throttled" : undefined);
    await generate(server);
    await account.time.run(minuteMs);
    server.setClock(20 * dayMs);
    await account.time.run(hourMs);
    assert.equal(lines(server, /^Key deletion gave up/).length, 0);
    account.fateOf = () => undefined;
    await account.time.run(hourMs);
    assert.equal(await stateOf(account, old), "PendingDeletion");
  });
});

describe("a fleet that has slept for three weeks", () => {
  it("shows itself when it wakes: no server prunes the keys of the others", async () => {
    const account = accountWithJournal();
    const servers = [await startServer(account, "a", scans), await startServer(account, "b", scans, { seed: 2 })];
    const keys = [];
    for (const server of servers) keys.push(await generate(server));
    await account.time.run(5 * hourMs + 30 * minuteMs);
    account.jump(21 * dayMs);
    for (const server of servers) server.setClock(21 * dayMs);
    account.control.clearJournal();
    await account.time.run(10 * secondMs);
    assert.deepEqual(
      new Set(callsOf(account, "UpdateAlias").map(({ input }) => input.AliasName)),
      new Set(["a", "b"].map((serverId) => aliasOf(serverId))),
    );
    await account.time.run(2 * dayMs);
    for (const keyArn of keys) assert.equal(await stateOf(account, keyArn), "Enabled");
    assert.deepEqual(
      servers.map((server) => arnOf(server)),
      keys,
    );
  });
});
