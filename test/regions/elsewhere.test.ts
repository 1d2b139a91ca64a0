/** A server that starts while KMS does not answer in its Region: it finds its keys in another one, only signs, and comes home. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Call } from "../simulation/simulated-account.ts";
import { type Settings, SimulatedServer } from "../simulation/simulated-server.ts";
import type { Trouble } from "../simulation/troubles.ts";
import { aliasOf, bare, europe, home, replicated, trustDomain, World, west } from "./three-regions.ts";

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const dayMs = 24 * 3_600_000;
const keyId = "x509-CA-A";
const other = "JWT-Signer-A";
const tagMode: Settings = { enable_tag_based_key_discovery: true };

const idUnder = (server: SimulatedServer, id = keyId) => bare(server.entries.get(id)?.keyArn ?? "");
const said = (server: SimulatedServer, message: RegExp) => server.log.filter((line) => message.test(line.message));
const foundElsewhere = /^KMS does not answer in this server's Region: its keys were found in another one/;
const isAtHome = /^KMS answers again in this server's Region: its keys were found there/;
const reads = /^(Describe|Get|List|Sign)/;

/** A server with two replicated keys that has been killed; what is written by servers from now on. */
async function ready(settings: Settings = replicated) {
  const world = new World();
  const before = await world.server(settings);
  for (const id of [keyId, other]) await world.generate(before, id);
  await world.time.run(minuteMs);
  const [id, fingerprint] = [idUnder(before), before.keyManager.getPublicKey(keyId).fingerprint];
  before.kill();
  const written: string[] = [];
  world.account.watchers.add({
    onTry: ({ operation, caller, region }: Call) => {
      if (caller instanceof SimulatedServer && !reads.test(operation)) written.push(`${operation} in ${region}`);
    },
  });
  return { world, settings, id, fingerprint, written };
}

/** A server that cannot be configured. @returns why, and how long that took */
async function refusal(world: World, settings: Settings) {
  const begun = world.time.now;
  const server = new SimulatedServer({ account: world.account, trustDomain, serverId: "root", settings, seed: 9 });
  const error = await world.time.until(
    server.configure().then(
      () => undefined,
      (thrown: unknown) => thrown,
    ),
  );
  server.kill();
  assert.ok(error instanceof Error, "it was configured");
  return { error, tookMs: world.time.now - begun };
}

describe("a start while KMS does not answer in the server's own Region", () => {
  const kinds: readonly Trouble[] = ["never arrives", "hangs", "internal", "page", "reset", "garbled answer"];
  for (const trouble of kinds) {
    it(`finds the keys by the aliases of another Region, and signs: ${trouble}`, async () => {
      const { world, id, fingerprint } = await ready();
      world.troubles.set(home, trouble);
      const begun = world.time.now;
      const server = await world.server(replicated, { seed: 2, latencyMs: 40 });
      assert.ok(world.time.now - begun <= 30 * secondMs, `${world.time.now - begun} ms`);
      assert.deepEqual([...server.entries.keys()].sort(), [other, keyId]);
      assert.equal(idUnder(server), id);
      assert.equal(server.keyManager.getPublicKey(keyId).fingerprint, fingerprint);
      for (let n = 0; n < 5; n++) assert.ok((await world.sign(server)) < 300, "asked for elsewhere at once");
      const [line] = said(server, foundElsewhere);
      assert.deepEqual([line?.level, line?.fields.kms_region, line?.fields.found_in], ["warn", home, [west]]);
      const found = said(server, /^Key found in another Region/);
      assert.equal(found.length, 2);
      for (const { fields } of found) assert.match(String(fields.alias_refreshed_at), /^2026-/);
      assert.deepEqual(server.keyManager.gauges.regions?.[0], { region: home, isAnswering: false });
    });
  }

  for (const [name, mode] of [
    ["by aliases", {}],
    ["by tags", tagMode],
  ] as const) {
    it(`writes nothing anywhere for a week, and comes home: ${name}`, async () => {
      const { world, settings, id, written } = await ready({ ...replicated, ...mode });
      world.troubles.set(home, "never arrives");
      const server = await world.server(settings, { seed: 2 });
      for (let day = 0; day < 7; day++) {
        await world.time.run(dayMs);
        await world.sign(server);
      }
      assert.deepEqual(written, []);
      assert.equal(idUnder(server), id);
      world.troubles.clear();
      await world.time.run(minuteMs);
      assert.equal(said(server, isAtHome).length, 1);
      assert.equal(idUnder(server), id);
      await world.generate(server);
      await world.time.run(minuteMs);
      for (const region of [world.home, world.west, world.europe]) {
        assert.equal((await region.aliases()).get(aliasOf()), idUnder(server), region.region);
        assert.match(await region.state(id), /^Pending/, "the key that was found elsewhere was replaced as ever");
      }
      assert.deepEqual(server.keyManager.gauges.regions?.[0], { region: home, isAnswering: true });
    });
  }

  it("makes no key: SPIRE is told why at once, and to ask again", async () => {
    const { world, written } = await ready();
    world.troubles.set(home, "never arrives");
    const server = await world.server(replicated, { seed: 2 });
    const begun = world.time.now;
    for (const id of [keyId, "x509-CA-B"]) {
      await assert.rejects(world.generate(server, id), {
        code: "UNAVAILABLE",
        message: /^KMS has not answered in us-east-1 since this server was started.*tried again at least every 30 s/,
      });
    }
    assert.ok(world.time.now - begun < secondMs);
    assert.deepEqual(written, []);
  });

  it("is followed by a homecoming although SPIRE asks for keys all the time", async () => {
    const { world } = await ready();
    world.troubles.set(home, "never arrives");
    const server = await world.server(replicated, { seed: 2 });
    const begun = world.time.now;
    for (let n = 0; ; n++) {
      if (n === 30) world.troubles.clear();
      const isMade = await world.generate(server, "x509-CA-B").then(
        () => true,
        () => false,
      );
      if (isMade) break;
      await world.time.run(10 * secondMs);
    }
    assert.ok(world.time.now - begun < 6 * minuteMs);
    await world.sign(server, "x509-CA-B");
  });

  it("has its keys through several starts, and makes none", async () => {
    const { world, id, written } = await ready();
    world.troubles.set(home, "page");
    for (let seed = 2; seed < 6; seed++) {
      const server = await world.server(replicated, { seed });
      await world.sign(server);
      await world.time.run(3 * minuteMs);
      server.kill();
    }
    assert.deepEqual(written, []);
    world.troubles.clear();
    const server = await world.server(replicated, { seed: 7 });
    assert.equal(idUnder(server), id);
  });

  it("may be configured again, there and at home", async () => {
    const { world, id } = await ready();
    world.troubles.set(home, "never arrives");
    const server = await world.server(replicated, { seed: 2 });
    await world.time.until(server.configure({ verify_signatures: false }));
    assert.equal(idUnder(server), id);
    world.troubles.clear();
    await world.time.until(server.configure());
    await world.generate(server);
    await world.time.run(10 * minuteMs);
    assert.equal(said(server, isAtHome).length, 0, "the look that was under way is over");
  });

  it("ends with the process", async () => {
    const { world, written } = await ready();
    world.troubles.set(home, "never arrives");
    const server = await world.server(replicated, { seed: 2 });
    await world.time.until(server.keyManager.close(AbortSignal.abort()));
    world.troubles.clear();
    await world.time.run(dayMs);
    assert.equal(said(server, isAtHome).length, 0);
    assert.deepEqual(written, []);
  });

  it("stays there while KMS answers at home with faults in between", async () => {
    const { world, id, written } = await ready();
    world.troubles.set(home, "never arrives");
    const server = await world.server(replicated, { seed: 2 });
    world.troubles.set(home, (operation) => (operation === "ListAliases" ? undefined : "internal"));
    await world.time.run(10 * minuteMs);
    assert.equal(idUnder(server), id);
    assert.ok(said(server, /^KMS answers in this server's Region, but the keys cannot be had there yet/).length > 0);
    world.troubles.set(home, "denied");
    await world.time.run(10 * minuteMs);
    await assert.rejects(world.generate(server), { code: "UNAVAILABLE" });
    assert.deepEqual(written, []);
    world.troubles.clear();
    await world.time.run(minuteMs);
    assert.equal(said(server, isAtHome).length, 1);
  });
});

describe("keys of another Region that are not the ones at home", () => {
  /** The server rotates while a Region is away, and is killed before it can catch up. */
  async function rotatedWithout(regions: readonly string[]) {
    const scene = await ready();
    const { world } = scene;
    const active = await world.server(replicated, { seed: 3 });
    for (const region of regions) world.troubles.set(region, "never arrives");
    await world.generate(active);
    await world.time.run(minuteMs);
    const current = idUnder(active);
    active.kill();
    world.troubles.clear();
    world.troubles.set(home, "never arrives");
    return { ...scene, current };
  }

  it("are passed over for those of a Region that has the newer ones, which then signs", async () => {
    const { world, current, id } = await rotatedWithout([west]);
    const server = await world.server(replicated, { seed: 4 });
    assert.equal(idUnder(server), current);
    await world.sign(server);
    const [line] = said(server, /^Regions show different keys under one id/);
    assert.match(String(line?.fields.left_out), new RegExp(`${id}$`));
    assert.equal(line?.fields.found_in, europe);
  });

  it("are told with their date where nothing newer is found, and give way at home", async () => {
    const { world, current, id, written } = await rotatedWithout([west, europe]);
    const server = await world.server(replicated, { seed: 4 });
    assert.equal(idUnder(server), id, "all that could be found");
    assert.match(String(said(server, foundElsewhere)[0]?.fields.consequence), /as it was before/);
    assert.deepEqual(
      written.filter((call) => call.startsWith("ScheduleKeyDeletion")),
      [],
    );
    world.troubles.clear();
    await world.time.run(minuteMs);
    assert.equal(idUnder(server), current);
    const [line] = said(server, /^A key that was found in another Region is not the one/);
    assert.match(String(line?.fields.key_arn), new RegExp(`${current}$`));
    await world.sign(server);
    await world.time.run(7 * dayMs);
    assert.equal(await world.home.state(current), "Enabled");
    assert.match(await world.home.state(id), /^Pending/, "what had been replaced goes in the end");
  });

  it("are left where a rotation has scheduled them for deletion", async () => {
    const { world } = await ready();
    for (const { KeyId } of await world.west.keys()) {
      await world.west.call("ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    }
    world.troubles.set(home, "page");
    const server = await world.server(replicated, { seed: 2 });
    assert.deepEqual(said(server, foundElsewhere)[0]?.fields.found_in, [europe]);
    assert.equal(said(server, /^A key of this server in another Region is left out/).length, 2);
    await world.sign(server);
  });

  it("are not taken from a server that makes keys of its own there under the same identity", async () => {
    const world = new World();
    const theirs = await world.server({ region: west, multi_region: true });
    await world.generate(theirs);
    const single = await world.server({ region: europe }, { seed: 2 });
    await world.generate(single);
    world.troubles.set(home, "page");
    const { error } = await refusal(world, replicated);
    assert.match(error.message, /no key of this server that has a replica was found in us-west-2, eu-west-1 either/);
  });

  it("do not stand for single-Region keys, which are told to be missing", async () => {
    const { world, id } = await ready();
    const server = await world.server({ ...replicated, replica_regions: [], failover_regions: [west] }, { seed: 2 });
    await world.generate(server, "WIT-Signer-A");
    server.kill();
    world.troubles.set(home, "page");
    const next = await world.server(replicated, { seed: 3 });
    assert.deepEqual([...next.entries.keys()].sort(), [other, keyId]);
    assert.equal(idUnder(next), id);
    assert.match(
      String(said(next, foundElsewhere)[0]?.fields.consequence),
      /single-Region keys among them, are missing/,
    );
  });
});

describe("a start that goes on failing", () => {
  it("is one without another Region", async () => {
    const { world } = await ready();
    world.troubles.set(home, "page");
    const { error } = await refusal(world, { ...replicated, failover_regions: [] });
    assert.match(error.message, /^failed to fetch aliases/);
  });

  for (const trouble of ["throttled", "denied", "not valid"] as const) {
    it(`is one that KMS answers: ${trouble}`, async () => {
      const { world, written } = await ready();
      world.troubles.set(home, trouble);
      const { error } = await refusal(world, replicated);
      assert.match(error.message, /^failed to fetch aliases: ListAliases/);
      assert.deepEqual(written, []);
    });
  }

  it("is one of a server without keys, in bounded time although no Region answers", async () => {
    const world = new World();
    for (const region of [home, west, europe]) world.troubles.set(region, "never arrives");
    const { tookMs } = await refusal(world, replicated);
    assert.ok(tookMs <= 60 * secondMs, `${tookMs} ms`);
  });

  it("is a reconfiguration of a server that has its keys: it goes on with what it has", async () => {
    const world = new World();
    const server = await world.server(replicated);
    await world.generate(server);
    await world.time.run(minuteMs);
    world.troubles.set(home, "page");
    await assert.rejects(world.time.until(server.configure()), { code: "UNAVAILABLE" });
    await world.sign(server);
    world.troubles.clear();
    await world.generate(server);
  });
});

describe("others meanwhile", () => {
  it("a standby whose own Region is away finds the primaries, and is a standby still", async () => {
    const { world, id, written } = await ready();
    world.troubles.set(west, "never arrives");
    const standby = await world.server({ region: west, replica_regions: [home, europe] }, { seed: 2 });
    assert.equal(idUnder(standby), id);
    await world.sign(standby);
    await assert.rejects(world.generate(standby), { code: "UNAVAILABLE" });
    assert.deepEqual(written, []);
    world.troubles.clear();
    await world.time.run(minuteMs);
    await assert.rejects(world.generate(standby), { code: "FAILED_PRECONDITION", message: /standby/ });
  });

  it("a standby that was promoted while the server was away stays the one that rotates", async () => {
    const { world } = await ready();
    for (const { KeyId } of await world.home.keys()) {
      await world.home.call("UpdatePrimaryRegion", { KeyId, PrimaryRegion: west });
    }
    await world.time.run(minuteMs);
    world.troubles.set(home, "never arrives");
    const active = await world.server({ region: west, replica_regions: [home, europe] }, { seed: 2 });
    const former = await world.server(replicated, { seed: 3 });
    await world.generate(active);
    await world.time.run(minuteMs);
    await world.sign(former);
    world.troubles.clear();
    await world.time.run(5 * minuteMs);
    await assert.rejects(world.generate(former), { code: "FAILED_PRECONDITION", message: /standby/ });
    await world.time.run(dayMs);
    assert.equal(idUnder(former), idUnder(active));
    assert.equal((await world.home.aliases()).get(aliasOf()), idUnder(active));
  });

  it("neighbours in every Region prune nothing of it within two weeks", async () => {
    const { world, id } = await ready();
    const neighbours = await Promise.all(
      [west, europe].map((region, n) => world.server({ region }, { serverId: "neighbour", seed: 20 + n })),
    );
    world.troubles.set(home, "page");
    const server = await world.server(replicated, { seed: 2 });
    await world.time.run(13 * dayMs);
    for (const region of [world.west, world.europe]) assert.equal(await region.state(id), "Enabled");
    await world.sign(server);
    for (const neighbour of neighbours) neighbour.kill();
  });
});
