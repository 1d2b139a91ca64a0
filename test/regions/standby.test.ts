/** A standby in a replica's Region: it serves, it follows, it makes no keys, and promotion turns the servers round. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type PromotionContext, planPromotion, promoteKey } from "../../src/key-manager/regions/promotion.ts";
import { awsKmsNames } from "../../src/plugin/aws-kms/names.ts";
import type { Settings, SimulatedServer } from "../simulation/simulated-server.ts";
import { operatorClients } from "./operator-clients.ts";
import { aliasOf, bare, europe, home, replicated, trustDomain, World, west } from "./three-regions.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const keyId = "x509-CA-A";
const standbySettings: Settings = { region: west, replica_regions: [home, europe] };

const idUnder = (server: SimulatedServer, id = keyId) => bare(server.entries.get(id)?.keyArn ?? "");
const said = (server: SimulatedServer, message: RegExp) => server.log.filter((line) => message.test(line.message));

async function pair(mode: Settings = {}) {
  const world = new World();
  const active = await world.server({ ...replicated, ...mode });
  for (const id of [keyId, "JWT-Signer-A"]) await world.generate(active, id);
  await world.time.run(60_000);
  const standby = await world.server({ ...standbySettings, ...mode }, { seed: 2 });
  return { world, active, standby };
}

/** The operator's command. */
function promotion(world: World, region = west): PromotionContext {
  return { region, ...operatorClients(world), names: awsKmsNames(trustDomain, "root") };
}

async function promote(world: World, region = west): Promise<void> {
  const context = promotion(world, region);
  const plan = await world.time.until(planPromotion(context));
  assert.deepEqual(plan.refusals, []);
  for (const key of plan.promote) await world.time.until(promoteKey(key, context));
}

describe("a standby", () => {
  for (const [name, mode] of [
    ["by aliases", {}],
    ["by tags", { enable_tag_based_key_discovery: true }],
  ] as const) {
    it(`finds the replicas and signs with them: ${name}`, async () => {
      const { world, active, standby } = await pair(mode);
      assert.deepEqual([...standby.entries.keys()].sort(), ["JWT-Signer-A", keyId]);
      assert.equal(idUnder(standby), idUnder(active));
      const [here, there] = [standby, active].map((server) => server.keyManager.getPublicKey(keyId).fingerprint);
      assert.equal(here, there);
      await world.sign(standby);
      assert.equal(said(standby, /^This server is a standby/).length, 1);
    });
  }

  it("signs on when the Region of the primary is lost, and through it when its own is", async () => {
    const { world, standby } = await pair();
    world.troubles.set(home, "never arrives");
    for (let n = 0; n < 10; n++) await world.sign(standby);
    world.troubles.clear();
    world.troubles.set(west, "internal");
    for (let n = 0; n < 10; n++) await world.sign(standby);
  });

  it("makes no key, under an id that it has or a new one, and says what to do", async () => {
    const { world, standby } = await pair();
    const before = (await world.west.keys()).length;
    for (const id of [keyId, "WIT-Signer-A"]) {
      await assert.rejects(world.generate(standby, id), {
        code: "FAILED_PRECONDITION",
        message: /is in us-east-1.*spire-aws-kms promote --region us-west-2.*allow_standby_rotation/,
      });
    }
    assert.equal((await world.west.keys()).length, before);
  });

  it("follows the rotations of the active server, and that is no conflict", async () => {
    const { world, active, standby } = await pair();
    await world.generate(active);
    await world.time.run(7 * hourMs);
    assert.equal(idUnder(standby), idUnder(active));
    assert.deepEqual(said(standby, /another process|active in another Region/i), []);
    assert.deepEqual(said(active, /another process|active in another Region/i), []);
    assert.equal(said(standby, /^The server in the Region of the primary keys has rotated/).length, 1);
    await world.sign(standby);
  });

  it("keeps the keys of an identity alive while the active server is down", async () => {
    const { world, active, standby } = await pair();
    active.kill();
    await world.server(replicated, { serverId: "neighbour", seed: 4 });
    await world.server({ region: west }, { serverId: "western", seed: 5 });
    await world.time.run(40 * dayMs);
    for (const region of [world.home, world.west, world.europe]) {
      assert.equal(await region.state(idUnder(standby)), "Enabled", region.region);
    }
  });

  it("makes keys with allow_standby_rotation, for the time in which it cannot be promoted", async () => {
    const { world, active, standby } = await pair();
    active.kill();
    world.troubles.set(home, "never arrives");
    await assert.rejects(world.generate(standby));
    await world.time.until(standby.configure({ allow_standby_rotation: true }));
    const former = idUnder(standby);
    await world.generate(standby);
    await world.time.run(60_000);
    const id = idUnder(standby);
    assert.notEqual(id, former);
    assert.equal((await world.west.key(id)).MultiRegionConfiguration?.PrimaryKey.Region, west);
    assert.equal((await world.europe.aliases()).get(aliasOf()), former, "there it is the other server's");
    await world.sign(standby);
  });
});

describe("promotion", () => {
  it("is shown before it is done", async () => {
    const { world, standby } = await pair();
    const plan = await world.time.until(planPromotion(promotion(world)));
    assert.deepEqual(plan.promote.map(({ keyId: id, primaryRegion }) => [id, primaryRegion]).sort(), [
      ["JWT-Signer-A", home],
      [keyId, home],
    ]);
    assert.equal((await world.west.key(idUnder(standby))).MultiRegionConfiguration?.MultiRegionKeyType, "REPLICA");
  });

  it("lets the standby make keys at once, and makes a standby of the other server", async () => {
    const { world, active, standby } = await pair();
    const former = idUnder(standby);
    await promote(world);
    await world.generate(standby);
    await world.time.run(120_000);
    const id = idUnder(standby);
    assert.notEqual(id, former);
    for (const region of [world.home, world.west, world.europe]) {
      assert.equal((await region.aliases()).get(aliasOf()), id, region.region);
      assert.match(await region.state(former), /^Pending/, region.region);
    }
    assert.equal(await world.west.state(former), "PendingReplicaDeletion");
    await world.sign(active);
    assert.equal(idUnder(active), id, "a signature follows the alias");
    await assert.rejects(world.generate(active), { code: "FAILED_PRECONDITION" });
  });

  it("goes back the same way", async () => {
    const { world, active, standby } = await pair();
    await promote(world);
    await promote(world, home);
    await world.generate(active);
    await assert.rejects(world.generate(standby), { code: "FAILED_PRECONDITION" });
    await world.time.run(60_000);
    assert.equal((await world.west.aliases()).get(aliasOf()), idUnder(active));
  });

  it("is refused while the Region of the primary does not answer, with what to do meanwhile", async () => {
    const { world } = await pair();
    world.troubles.set(home, "page");
    const plan = await world.time.until(planPromotion(promotion(world)));
    assert.deepEqual(plan.promote, []);
    assert.match(plan.refusals.join(), /KMS in us-east-1.*does not answer.*allow_standby_rotation = true/);
  });

  it("is refused for a replica that cannot be used", async () => {
    const { world, standby } = await pair();
    await world.west.call("DisableKey", { KeyId: idUnder(standby) });
    const plan = await world.time.until(planPromotion(promotion(world)));
    assert.match(plan.refusals.join(), /x509-CA-A in us-west-2 is Disabled/);
  });

  it("warns when the other server has rotated a key that is not here yet", async () => {
    const { world, active } = await pair();
    world.troubles.set(west, "never arrives");
    await world.generate(active);
    await world.time.run(60_000);
    world.troubles.clear();
    active.kill();
    const plan = await world.time.until(planPromotion(promotion(world)));
    assert.match(plan.warnings.join(), /has no replica here: the server there has rotated/);
  });

  it("has nothing to do where the primaries are, and leaves single-Region keys", async () => {
    const world = new World();
    const server = await world.server({});
    await world.generate(server);
    const single = await world.time.until(planPromotion(promotion(world, home)));
    assert.deepEqual([single.promote, single.singleRegion], [[], [aliasOf()]]);
    const { world: other } = await pair();
    const plan = await other.time.until(planPromotion(promotion(other, home)));
    assert.deepEqual([plan.promote.length, plan.primary.length], [0, 2]);
  });
});

describe("two active servers of one identity", () => {
  it("are told on both sides, and neither takes the other's alias or key away", async () => {
    const { world, active, standby } = await pair();
    await world.time.until(standby.configure({ allow_standby_rotation: true }));
    await world.generate(standby);
    const theirs = idUnder(standby);
    await world.generate(active);
    await world.time.run(3 * dayMs);
    const ours = idUnder(active);
    assert.equal((await world.home.aliases()).get(aliasOf()), ours);
    assert.equal((await world.west.aliases()).get(aliasOf()), theirs);
    assert.equal(await world.home.state(ours), "Enabled");
    assert.equal(await world.west.state(theirs), "Enabled");
    for (const server of [active, standby]) {
      assert.ok(said(server, /^Another server with this server's identity is active in another Region/).length > 0);
    }
    for (const server of [active, standby]) await world.sign(server);
  });
});
