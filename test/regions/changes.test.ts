/** What operators change between starts, and what they do at the worst moment: Regions added and removed, promotion under way. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type PromotionContext, planPromotion, promoteKey } from "../../src/key-manager/regions/promotion.ts";
import { awsKmsNames } from "../../src/plugin/aws-kms/names.ts";
import type { Settings, SimulatedServer } from "../simulation/simulated-server.ts";
import { operatorClients } from "./operator-clients.ts";
import { aliasOf, bare, europe, home, replicated, trustDomain, World, west } from "./three-regions.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const keyId = "x509-CA-A";

const idUnder = (server: SimulatedServer, id = keyId) => bare(server.entries.get(id)?.keyArn ?? "");
const said = (server: SimulatedServer, message: RegExp) => server.log.filter((line) => message.test(line.message));
const unmanaged = /^Keys have replicas in a Region that replica_regions does not name/;
const stays = /^Key is to stay after all/;

/** A server with a key in three Regions that has been stopped, and the next one, configured otherwise. */
async function restartedWith(settings: Settings) {
  const world = new World();
  const before = await world.server(replicated);
  await world.generate(before);
  await world.time.run(minuteMs);
  const id = idUnder(before);
  before.kill();
  const server = await world.server(settings, { seed: 2 });
  return { world, server, id };
}

async function restart(world: World, server: SimulatedServer, settings: Settings, seed: number) {
  server.kill();
  return world.server(settings, { seed });
}

describe("replica_regions that changed between two starts", () => {
  it("less one Region: told at each start and by each rotation, with the commands, and nothing is lost when it comes back", async () => {
    const { world, server, id } = await restartedWith({ replica_regions: [west] });
    assert.equal(said(server, unmanaged)[0]?.fields.replica_region, europe);
    await world.generate(server);
    await world.time.run(minuteMs);
    const [line] = said(server, stays);
    assert.match(
      String(line?.fields.remedy),
      new RegExp(`^aws kms schedule-key-deletion --region eu-west-1 --key-id arn:aws:kms:eu-west-1:\\d+:key/${id}$`),
    );
    const second = idUnder(server);
    const whole = await restart(world, server, replicated, 3);
    assert.deepEqual(said(whole, unmanaged), []);
    await world.time.run(2 * minuteMs);
    assert.equal((await world.europe.aliases()).get(aliasOf()), second, "the alias there moved on");
    await world.time.run(8 * dayMs);
    for (const region of [world.home, world.west, world.europe]) {
      assert.match(await region.state(id), /^Pending/, region.region);
      assert.equal(await region.state(second), "Enabled", region.region);
    }
  });

  it("none any more: told, the key is used on, and the next one is a single-Region key", async () => {
    const { world, server, id } = await restartedWith({});
    assert.deepEqual(
      said(server, unmanaged)
        .map(({ fields }) => fields.replica_region)
        .sort(),
      [europe, west],
    );
    await world.sign(server);
    await world.generate(server);
    await world.time.run(10 * dayMs);
    assert.doesNotMatch(idUnder(server), /^mrk-/);
    for (const region of [world.home, world.west, world.europe]) {
      assert.equal(await region.state(id), "Enabled", "another may live by its replicas");
    }
    const told = said(server, /^Stale keys have members in Regions that this server does not look after/);
    assert.match(String(told[0]?.fields.remedy), /--region us-west-2.*--region eu-west-1/);
  });

  it("one Region more: the key in use gets its replica there at the start, its own rotation is not waited for", async () => {
    const world = new World();
    const before = await world.server({ replica_regions: [west] });
    await world.generate(before);
    await world.time.run(minuteMs);
    const server = await restart(world, before, replicated, 2);
    await world.time.run(minuteMs);
    assert.equal((await world.europe.aliases()).get(aliasOf()), idUnder(server));
  });

  it("one of them the new home: the server is a standby there until it is promoted", async () => {
    const { world, server, id } = await restartedWith({ region: west, replica_regions: [home, europe] });
    assert.equal(idUnder(server), id);
    await world.time.run(dayMs);
    await assert.rejects(world.generate(server), {
      code: "FAILED_PRECONDITION",
      message: /promote --region us-west-2/,
    });
    assert.equal((await world.home.aliases()).get(aliasOf()), id);
  });
});

describe("promotion while the other server lives", () => {
  it("and rotates at the same moment: one of them has the keys in the end, the other follows, and no key in use is lost", async () => {
    for (const delayMs of [0, 20, 300, 1_500, 4_000]) {
      const world = new World();
      const active = await world.server(replicated, { latencyMs: 20 });
      for (const id of [keyId, "JWT-Signer-A"]) await world.generate(active, id);
      await world.time.run(minuteMs);
      const standby = await world.server({ region: west, replica_regions: [home, europe] }, { seed: 2, latencyMs: 20 });
      const { kmsIn, clock } = operatorClients(world);
      const context: PromotionContext = { region: west, kmsIn, clock, names: awsKmsNames(trustDomain, "root") };
      const plan = await world.time.until(planPromotion(context));
      const rotating = active.generate(keyId).catch(() => undefined);
      await world.time.run(delayMs);
      for (const key of plan.promote) await world.time.until(promoteKey(key, context).catch(() => undefined));
      await world.time.until(rotating);
      await world.time.run(2 * dayMs);
      for (const server of [active, standby]) {
        for (const id of server.entries.keys()) await world.sign(server, id);
        assert.deepEqual([...server.entries.keys()].sort(), ["JWT-Signer-A", keyId], `after ${delayMs} ms`);
      }
      assert.equal(idUnder(standby, "JWT-Signer-A"), idUnder(active, "JWT-Signer-A"));
      assert.equal(idUnder(standby), idUnder(active), `after ${delayMs} ms`);
    }
  });
});

describe("a start elsewhere beside a standby that makes keys by an operator's word", () => {
  it("does not take its keys, which have no member at home, and says so", async () => {
    const { world, server: standby, id } = await restartedWith({ region: west, replica_regions: [home, europe] });
    world.troubles.set(home, "never arrives");
    await world.time.until(standby.configure({ allow_standby_rotation: true }));
    await world.generate(standby);
    await world.time.run(minuteMs);
    const theirs = idUnder(standby);
    const server = await world.server(replicated, { seed: 5 });
    assert.equal(idUnder(server), id, "of the Region that still shows it");
    const [line] = said(server, /^A key of this server in another Region is left out/);
    assert.match(String(line?.fields.key_arn), new RegExp(`${theirs}$`));
    assert.equal(line?.fields.reason, "it has no member in us-east-1");
    world.troubles.clear();
    await world.time.run(dayMs);
    assert.equal(await world.west.state(theirs), "Enabled");
    assert.equal(await world.home.state(id), "Enabled");
    assert.ok(said(server, /^Another server with this server's identity is active in another Region/).length > 0);
  });
});
