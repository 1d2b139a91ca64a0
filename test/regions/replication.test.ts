/** Keys with replicas: what is made where, and that no Region in trouble delays anything else. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createEngine, manualClock } from "../../src/kms-emulator/index.ts";
import { SimulatedAccount } from "../simulation/simulated-account.ts";
import { aliasOf, bare, europe, home, replicated, World, west } from "./three-regions.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const keyId = "x509-CA-A";

const arnUnder = (server: { entries: ReadonlyMap<string, { keyArn: string }> }, id = keyId) => {
  const entry = server.entries.get(id);
  assert.ok(entry !== undefined, `no key ${id}`);
  return entry.keyArn;
};

describe("new keys with replica_regions", () => {
  it("are primaries, with replicas that have their policy, tags, description and alias", async () => {
    const world = new World();
    const server = await world.server({ ...replicated, key_tags: { team: "pki" } });
    await world.generate(server);
    await world.time.run(60_000);
    const id = bare(arnUnder(server));
    assert.match(id, /^mrk-/);
    const primary = await world.home.key(id);
    assert.equal(primary.MultiRegionConfiguration?.MultiRegionKeyType, "PRIMARY");
    for (const region of [world.west, world.europe]) {
      const replica = await region.key(id);
      assert.deepEqual([replica.KeyState, replica.Description], ["Enabled", "SPIRE_SERVER/example.org"]);
      assert.equal((await region.aliases()).get(aliasOf()), id);
      assert.equal((await region.tags(id)).get("team"), "pki");
      assert.deepEqual(await region.policy(id), await world.home.policy(id));
    }
    assert.deepEqual(
      server.keyManager.replicas.map(({ region, condition }) => [region, condition]),
      [
        [west, "ready"],
        [europe, "ready"],
      ],
    );
  });

  it("are usable before any replica is", async () => {
    const world = new World();
    const server = await world.server(replicated);
    for (const region of [west, europe]) world.troubles.set(region, "never arrives");
    const before = world.time.now;
    await world.generate(server);
    await world.sign(server);
    assert.ok(world.time.now - before < 1_000);
  });

  it("carry the tags of tag mode into each Region, refreshed there", async () => {
    const world = new World();
    const server = await world.server({ ...replicated, enable_tag_based_key_discovery: true });
    await world.generate(server);
    await world.time.run(60_000);
    const id = bare(arnUnder(server));
    const stamp = async () => Number((await world.west.tags(id)).get("spire-last-update"));
    const first = await stamp();
    await world.time.run(7 * hourMs);
    assert.ok((await stamp()) > first);
    assert.equal((await world.west.tags(id)).get("spire-key-id"), keyId);
  });

  it("are asked for at AWS's rates, however many there are", async () => {
    const quotas = new SimulatedAccount({ quotas: true });
    const world = new World(quotas);
    let refused = 0;
    const server = await world.server(replicated, {
      telemetry: {
        awsCall: (_operation, result) => {
          if (result === "THROTTLED") refused++;
        },
        awsRetry: () => undefined,
        count: () => undefined,
        taskDone: () => undefined,
      },
    });
    for (let n = 0; n < 12; n++) {
      await world.generate(server, `id-${n}`);
      await world.time.run(500);
    }
    await world.time.run(120_000);
    assert.equal(refused, 0);
    assert.equal(server.keyManager.replicas.filter(({ condition }) => condition === "ready").length, 24);
  });
});

describe("multi_region alone", () => {
  it("makes primaries and no replicas; those that others make are shown and left", async () => {
    const world = new World();
    const server = await world.server({ multi_region: true });
    await world.generate(server);
    const id = bare(arnUnder(server));
    await world.time.run(dayMs);
    assert.deepEqual((await world.home.key(id)).MultiRegionConfiguration?.ReplicaKeys, []);
    assert.deepEqual(await world.west.keys(), []);
    await world.home.call("ReplicateKey", { KeyId: id, ReplicaRegion: west });
    await world.time.until(server.configure());
    const line = server.log.find(({ message }) => message.startsWith("Keys have replicas that this server"));
    assert.deepEqual([line?.level, line?.fields.replica_region], ["info", west]);
    await world.generate(server);
    await world.time.run(30 * dayMs);
    assert.equal(await world.west.state(id), "Enabled");
    assert.equal(await world.home.state(id), "Enabled");
  });
});

describe("a Region in trouble", () => {
  it("delays no other, and gets its replicas when it is back", async () => {
    const world = new World();
    const server = await world.server(replicated);
    world.troubles.set(west, "never arrives");
    await world.generate(server);
    await world.time.run(60_000);
    const id = bare(arnUnder(server));
    assert.equal((await world.europe.aliases()).get(aliasOf()), id);
    assert.deepEqual(await world.west.keys(), []);
    assert.deepEqual(
      server.keyManager.replicas.map(({ region, condition }) => [region, condition]),
      [
        [west, "failed"],
        [europe, "ready"],
      ],
    );
    world.troubles.clear();
    await world.time.run(10 * 60_000);
    assert.equal((await world.west.aliases()).get(aliasOf()), id);
    assert.equal(await world.west.state(id), "Enabled");
  });

  it("gets them from the next process, too: KMS is all that has to be remembered", async () => {
    const world = new World();
    const server = await world.server(replicated);
    world.troubles.set(west, "never arrives");
    await world.generate(server);
    await world.time.run(5_000);
    server.kill();
    world.troubles.clear();
    const next = await world.server(replicated, { seed: 2 });
    await world.time.run(60_000);
    const id = bare(arnUnder(next));
    assert.equal((await world.west.aliases()).get(aliasOf()), id);
    assert.equal((await world.europe.aliases()).get(aliasOf()), id);
  });

  it("may lose every answer, once", async () => {
    for (const lost of ["ReplicateKey", "CreateAlias", "DescribeKey", "GetPublicKey"]) {
      const world = new World();
      const server = await world.server(replicated);
      let left = 3;
      const lose = (operation: string) => (operation === lost && left-- > 0 ? ("lost" as const) : undefined);
      world.troubles.set(lost === "ReplicateKey" ? home : west, lose);
      await world.generate(server);
      await world.time.run(5 * 60_000);
      const id = bare(arnUnder(server));
      assert.equal((await world.west.aliases()).get(aliasOf()), id, lost);
      assert.equal((await world.west.keys()).length, 1, lost);
    }
  });

  it("is told, with the permission that is missing", async () => {
    const world = new World();
    const server = await world.server(replicated);
    world.troubles.set(home, (operation) => (operation === "ReplicateKey" ? "denied" : undefined));
    await world.generate(server);
    await world.time.run(60_000);
    const line = server.log.find(({ message }) => message.startsWith("Failed to bring a key into another Region"));
    assert.match(String(line?.fields.reason), /allow kms:ReplicateKey/);
  });
});

describe("rotation with replicas", () => {
  it("moves the alias in each Region to the new replica", async () => {
    const world = new World();
    const server = await world.server(replicated);
    await world.generate(server);
    await world.time.run(60_000);
    const first = bare(arnUnder(server));
    await world.generate(server);
    await world.time.run(60_000);
    const second = bare(arnUnder(server));
    assert.notEqual(first, second);
    for (const region of [world.home, world.west, world.europe]) {
      assert.equal((await region.aliases()).get(aliasOf()), second);
    }
  });

  it("catches up in a Region that was away for several rotations", async () => {
    const world = new World();
    const server = await world.server(replicated);
    await world.generate(server);
    await world.time.run(60_000);
    world.troubles.set(west, "never arrives");
    for (let n = 0; n < 3; n++) {
      await world.generate(server);
      await world.time.run(12 * hourMs);
    }
    world.troubles.clear();
    await world.time.run(7 * hourMs);
    assert.equal((await world.west.aliases()).get(aliasOf()), bare(arnUnder(server)));
  });

  it("replaces a single-Region key of before by one that has replicas", async () => {
    const world = new World();
    const before = await world.server();
    await world.generate(before);
    const first = bare(arnUnder(before));
    assert.doesNotMatch(first, /^mrk-/);
    before.kill();
    const server = await world.server(replicated, { seed: 2 });
    await world.time.run(dayMs);
    assert.equal(bare(arnUnder(server)), first);
    assert.ok(server.keyManager.replicas.every(({ condition }) => condition === "single-Region"));
    await world.generate(server);
    await world.time.run(60_000);
    assert.equal((await world.west.aliases()).get(aliasOf()), bare(arnUnder(server)));
    assert.equal(await world.home.state(first), "PendingDeletion");
  });
});

describe("aliases in replica Regions", () => {
  it("are refreshed, so that neighbours there see that they are in use", async () => {
    const world = new World();
    const server = await world.server(replicated);
    await world.generate(server);
    // A neighbour of the trust domain that lives in the west and prunes there.
    const neighbour = await world.server({ region: west }, { serverId: "neighbour", seed: 7 });
    await world.generate(neighbour);
    await world.time.run(40 * dayMs);
    const id = bare(arnUnder(server));
    assert.equal(await world.west.state(id), "Enabled");
    const date = (await world.west.aliasDates()).get(aliasOf());
    assert.ok(date !== undefined && world.time.now - date.getTime() < 7 * hourMs);
  });

  it("are put back where someone has deleted one", async () => {
    const world = new World();
    const server = await world.server(replicated);
    await world.generate(server);
    await world.time.run(60_000);
    await world.west.call("DeleteAlias", { AliasName: aliasOf() });
    await world.time.run(7 * hourMs);
    assert.equal((await world.west.aliases()).get(aliasOf()), bare(arnUnder(server)));
  });
});

describe("a replica that cannot be used", () => {
  it("is told with what to do, and left as it is", async () => {
    const world = new World();
    const server = await world.server(replicated);
    await world.generate(server);
    await world.time.run(60_000);
    const id = bare(arnUnder(server));
    await world.west.call("DisableKey", { KeyId: id });
    await world.time.run(7 * hourMs);
    const line = server.log.find(({ message }) => message === "Replica cannot be used");
    assert.match(String(line?.fields.reason), /enable-key --region us-west-2/);
    assert.equal(await world.west.state(id), "Disabled");
  });
});

describe("a Region taken out of the configuration", () => {
  it("is told with its replicas and the commands that remove them", async () => {
    const world = new World();
    const server = await world.server(replicated);
    await world.generate(server);
    await world.time.run(60_000);
    const id = bare(arnUnder(server));
    await world.time.until(server.configure({ replica_regions: [west] }));
    const line = server.log.find(({ message }) => message.startsWith("Keys have replicas in a Region that"));
    assert.deepEqual([line?.level, line?.fields.replica_region], ["warn", europe]);
    assert.match(String(line?.fields.remedy), /schedule-key-deletion --region eu-west-1/);
    assert.deepEqual(line?.fields.replica_arns, [`arn:aws:kms:eu-west-1:111122223333:key/${id}`]);
    assert.equal(await world.europe.state(id), "Enabled");
  });
});

it("the emulator keeps Regions apart in one process", async () => {
  const { control } = createEngine({ clock: manualClock(0), awsManagedAliases: false });
  await control.call("CreateKey", {}, { region: west });
  assert.deepEqual(((await control.callByName("ListKeys", {}, { region: home })) as { Keys: unknown[] }).Keys, []);
});
