/** Servers that share an account: one scans for all, whoever stops; and a fleet that starts or wakes as one stays within KMS's quotas. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  accountWithJournal,
  callsOf,
  dayMs,
  generate,
  hourMs,
  lines,
  minuteMs,
  operatorKey,
  startServer,
  stateOf,
  tagMode,
  walksOf,
} from "../simulation/scenes.ts";
import type { SimulatedAccount } from "../simulation/simulated-account.ts";
import type { Settings, SimulatedServer } from "../simulation/simulated-server.ts";

/** Servers with a key each, started within the same hour. */
async function startFleet(
  account: SimulatedAccount,
  count: number,
  settings: Settings = {},
): Promise<SimulatedServer[]> {
  const servers: SimulatedServer[] = [];
  for (let index = 0; index < count; index++) {
    const server = await startServer(account, `server-${index}`, settings, { seed: index + 1 });
    await generate(server);
    servers.push(server);
  }
  return servers;
}

/** Scans made in the next days, a day. */
async function scansADay(account: SimulatedAccount, days: number) {
  account.control.clearJournal();
  await account.time.run(days * dayMs);
  const listings = walksOf(account, "ListAliases").length;
  const keyScans = walksOf(account, "ListKeys").length;
  return { aliases: listings / days, keys: keyScans / days };
}

describe("a fleet of 20 servers", () => {
  for (const [mode, settings] of [
    ["by aliases", {}],
    ["by tags", tagMode],
  ] as const) {
    it(`${mode} scans as one server does, and every key is refreshed`, async (context) => {
      const account = accountWithJournal();
      const servers = await startFleet(account, 20, settings);
      await account.time.run(2 * dayMs);
      const scans = await scansADay(account, 20);
      context.diagnostic(JSON.stringify(scans));
      assert.ok(scans.aliases >= 0.9 && scans.aliases <= 3, "once a day, not 20 times");
      assert.ok(scans.keys <= 1.5, "every other day");
      assert.ok(mode === "by tags" || scans.keys >= 0.4);
      for (const server of servers) {
        assert.deepEqual(lines(server, /refresh/i, "error"), []);
        const updates = callsOf(account, "UpdateAlias").filter(({ input }) =>
          input.AliasName?.includes(`/${server.options.serverId}/`),
        );
        assert.ok(updates.length >= 79 && updates.length <= 81, "four times a day");
      }
    });
  }

  it("scans each for itself where the operator wants it", async () => {
    const account = accountWithJournal();
    await startFleet(account, 10, { share_scans: false });
    await account.time.run(2 * dayMs);
    const scans = await scansADay(account, 4);
    assert.deepEqual(scans, { aliases: 10, keys: 5 });
  });

  for (const left of [1, 3, 10]) {
    it(`finds stale keys within two intervals although all but ${left} stop at one moment`, async () => {
      const account = accountWithJournal();
      const servers = await startFleet(account, 20);
      await account.time.run(5 * dayMs + 7 * hourMs);
      const stopped = servers.slice(left);
      const keys = stopped.map((server) => [...server.entries.values()][0]?.keyArn ?? "");
      for (const server of stopped) server.kill();
      await account.time.run(14 * dayMs + 2 * dayMs + hourMs);
      const states = await Promise.all(keys.map((key) => stateOf(account, key)));
      assert.deepEqual(new Set(states), new Set(["PendingDeletion"]));
    });
  }

  it("finds an orphan within two intervals, whoever has left it", async () => {
    const account = accountWithJournal();
    const servers = await startFleet(account, 20);
    await account.time.run(3 * dayMs);
    const orphan = await operatorKey(account, "SPIRE_SERVER/example.org");
    // Whoever has a turn on one day may be dead on the next.
    for (const [index, server] of servers.entries()) if (index % 2 === 0) server.kill();
    await account.time.run(2 * dayMs + 2 * 2 * dayMs + hourMs);
    assert.equal(await stateOf(account, orphan), "PendingDeletion");
  });
});

describe("two servers beside twenty of a trust domain that is written alike", () => {
  it("prune their own stale keys within two intervals: the others' turns are not waited for", async () => {
    const account = accountWithJournal();
    const others = { trustDomain: "example_org" };
    for (let index = 0; index < 20; index++) {
      await generate(await startServer(account, `twin-${index}`, {}, { ...others, seed: 100 + index }));
    }
    await startFleet(account, 2);
    const dead = await startServer(account, "dead", {}, { seed: 50 });
    const left = await generate(dead);
    dead.kill();
    await account.time.run(14 * dayMs + 2 * dayMs + hourMs);
    assert.equal(await stateOf(account, left), "PendingDeletion");
  });
});

describe("100 servers under AWS's quotas", () => {
  const quotas = true;

  it("that have slept for three weeks all refresh before one scans: no key in use is pruned", async (context) => {
    const account = accountWithJournal({ quotas: { CreateKey: 1e6, CreateAlias: 1e6 } });
    const servers = await startFleet(account, 100);
    await account.time.run(dayMs);
    for (const server of servers) server.kill();
    await account.time.run(21 * dayMs);
    account.control.clearJournal();
    const awake = servers.map(({ options }, index) =>
      startServer(account, options.serverId, {}, { seed: 1_000 + index }),
    );
    await account.time.until(Promise.all(awake));
    await account.time.run(dayMs);
    const updates = callsOf(account, "UpdateAlias");
    const refused = updates.filter(({ outcome }) => outcome !== "ok").length;
    context.diagnostic(`${updates.length} UpdateAlias, ${refused} refused`);
    assert.equal(callsOf(account, "ScheduleKeyDeletion").length, 0);
    const refreshed = new Set(updates.filter(({ outcome }) => outcome === "ok").map(({ input }) => input.AliasName));
    assert.equal(refreshed.size, 100);
  });

  it("that rotate at one moment are all served within a few minutes, SPIRE asking again every 10 s", async (context) => {
    const account = accountWithJournal({ quotas });
    const servers: SimulatedServer[] = [];
    for (let index = 0; index < 100; index++) {
      servers.push(await startServer(account, `server-${index}`, {}, { seed: index + 1 }));
      await generate(servers.at(-1) as SimulatedServer);
      await account.time.run(1_000);
    }
    await account.time.run(12 * hourMs);
    for (const { options } of servers) await account.time.until(reconfigure(servers, options.serverId));
    account.control.clearJournal();
    const begun = account.time.now;
    let attempts = 0;
    const rotateAll = servers.map(async (server) => {
      for (;;) {
        attempts++;
        try {
          return await server.generate("x509-CA-A");
        } catch {
          await account.time.sleep(10_000);
        }
      }
    });
    await account.time.until(Promise.all(rotateAll), hourMs);
    const tookMs = account.time.now - begun;
    const refused = callsOf(account, "CreateKey").filter(({ outcome }) => outcome !== "ok").length;
    const made = callsOf(account, "CreateKey").filter(({ outcome }) => outcome === "ok").length;
    context.diagnostic(
      `${attempts} GenerateKey, ${Math.round(tookMs / 1_000)} s, ${made} keys, ${refused} CreateKey refused`,
    );
    assert.ok(tookMs < 5 * minuteMs);
    assert.ok(made <= 105, `${made} keys for 100 rotations`);
    assert.ok(refused <= 500, `${refused} CreateKey refused`);
  });
});

const reconfigure = (servers: readonly SimulatedServer[], serverId: string): Promise<void> =>
  servers.find(({ options }) => options.serverId === serverId)?.configure() ?? Promise.resolve();
