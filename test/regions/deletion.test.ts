/** Keys with replicas on their way to deletion: replicas first, the primary last, the whole key or none of it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Call } from "../simulation/simulated-account.ts";
import type { Settings, SimulatedServer } from "../simulation/simulated-server.ts";
import { aliasOf, bare, europe, home, replicated, World, west } from "./three-regions.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const keyId = "x509-CA-A";

const idUnder = (server: SimulatedServer, id = keyId) => bare(server.entries.get(id)?.keyArn ?? "");

/** A server with a key that is replicated, and what it schedules for deletion from now on. */
async function ready(settings: Settings = replicated) {
  const world = new World();
  const server = await world.server(settings);
  await world.generate(server);
  await world.time.run(60_000);
  const scheduled: string[] = [];
  const watch = ({ operation, input, region, caller }: Call) => {
    if (operation === "ScheduleKeyDeletion" && caller instanceof Object && caller !== null) {
      scheduled.push(`${region} ${bare(Reflect.get(input, "KeyId"))}`);
    }
  };
  world.account.watchers.add({ onEffect: watch });
  const states = async (id: string) => [
    await world.home.state(id),
    await world.west.state(id),
    await world.europe.state(id),
  ];
  return { world, server, first: idUnder(server), scheduled, states };
}

const pending = ["PendingReplicaDeletion", "PendingDeletion", "PendingDeletion"];
const enabled = ["Enabled", "Enabled", "Enabled"];

describe("a replaced key with replicas", () => {
  it("goes in every Region, the primary last, once the alias stands on the new key everywhere", async () => {
    const { world, server, first, scheduled, states } = await ready();
    await world.generate(server);
    await world.time.run(120_000);
    assert.deepEqual(await states(first), pending);
    assert.deepEqual(scheduled, [`${west} ${first}`, `${europe} ${first}`, `${home} ${first}`]);
    await world.time.run(8 * dayMs);
    assert.equal(await world.home.state(first), "PendingDeletion");
    await world.time.run(8 * dayMs);
    for (const region of [world.home, world.west, world.europe]) {
      assert.deepEqual(
        (await region.keys()).map(({ KeyId }) => KeyId),
        [idUnder(server)],
      );
    }
  });

  it("waits for a Region that is away, and goes when it is back", async () => {
    const { world, server, first, scheduled, states } = await ready();
    world.troubles.set(west, "never arrives");
    await world.generate(server);
    await world.time.run(2 * hourMs);
    assert.deepEqual(scheduled, []);
    world.troubles.clear();
    await world.time.run(hourMs);
    assert.deepEqual(await states(first), pending);
  });

  it("goes by the scan when the Region was away for longer than a day", async () => {
    const { world, server, first, states } = await ready();
    world.troubles.set(west, "never arrives");
    await world.generate(server);
    await world.time.run(3 * dayMs);
    world.troubles.clear();
    await world.time.run(5 * dayMs);
    assert.deepEqual(await states(first), pending);
  });

  it("goes as well when the process dies between the Regions", async () => {
    for (const at of [home, west, europe]) {
      const { world, server, first, states } = await ready();
      let isKilled = false;
      world.account.watchers.add({
        onEffect: ({ operation, region }) => {
          if (operation !== "ScheduleKeyDeletion" || region !== at || isKilled) return;
          isKilled = true;
          server.kill();
        },
      });
      await world.generate(server);
      await world.time.run(120_000);
      assert.ok(isKilled, at);
      await world.server(replicated, { seed: 2 });
      await world.time.run(6 * dayMs);
      const left = (await states(first)).filter((state) => !state.startsWith("Pending"));
      assert.deepEqual(left, [], `killed at ${at}`);
    }
  });

  it("stays in every Region when one of its members is not this server's", async () => {
    const { world, server, first, scheduled, states } = await ready();
    await world.west.call("CreateAlias", { AliasName: "alias/payroll", TargetKeyId: first });
    await world.generate(server);
    await world.time.run(10 * dayMs);
    assert.deepEqual(scheduled, []);
    assert.deepEqual(await states(first), enabled);
    const line = server.log.find(({ message }) => message.startsWith("Key is to stay after all"));
    assert.match(String(line?.fields.reason), /in us-west-2 alias alias\/payroll stands on the key/);
  });

  it("stays while it has a replica in a Region that was taken out of the configuration", async () => {
    const { world, server, first, states } = await ready();
    await world.time.until(server.configure({ replica_regions: [west] }));
    await world.generate(server);
    await world.time.run(5 * dayMs);
    assert.deepEqual(await states(first), enabled);
    const line = server.log.find(({ message }) => message.startsWith("Key is to stay after all"));
    assert.match(String(line?.fields.reason), /Regions that replica_regions does not name \(eu-west-1\)/);
    // What the warning at Configure advises.
    await world.europe.call("DeleteAlias", { AliasName: aliasOf() });
    await world.europe.call("ScheduleKeyDeletion", { KeyId: first, PendingWindowInDays: 7 });
    await world.time.run(12 * dayMs);
    assert.match(await world.home.state(first), /^Pending/);
  });

  it("is not forgotten when it was being replicated while it was replaced", async () => {
    const world = new World();
    const server = await world.server(replicated);
    world.troubles.set(home, (operation) => (operation === "ReplicateKey" ? "slow" : undefined));
    for (let n = 0; n < 4; n++) {
      await world.generate(server);
      await world.time.run(700);
    }
    world.troubles.clear();
    await world.time.run(7 * dayMs);
    for (const region of [world.home, world.west, world.europe]) {
      const left = (await region.keys()).filter(({ KeyState }) => KeyState === "Enabled");
      assert.deepEqual(
        left.map(({ KeyId }) => KeyId),
        [idUnder(server)],
        region.region,
      );
    }
  });

  it("is marked inactive in every Region in tag mode", async () => {
    const { world, server, first } = await ready({ ...replicated, enable_tag_based_key_discovery: true });
    await world.generate(server);
    await world.time.run(120_000);
    for (const region of [world.home, world.west, world.europe]) {
      assert.equal((await region.tags(first)).get("spire-active"), "false", region.region);
      assert.match(await region.state(first), /^Pending/);
    }
  });
});

describe("scans and keys with replicas", () => {
  /** A server that has ended, and a neighbour that scans. */
  async function neighbours(settings: Settings, mode: Settings = {}) {
    const scene = await ready({ ...replicated, ...mode });
    scene.server.kill();
    const neighbour = await scene.world.server({ ...settings, ...mode }, { serverId: "neighbour", seed: 5 });
    return { ...scene, neighbour };
  }

  for (const [name, mode] of [
    ["by aliases", {}],
    ["by tags", { enable_tag_based_key_discovery: true }],
  ] as const) {
    it(`prune the key of a server that has ended, as a whole: ${name}`, async () => {
      const { world, first, scheduled, states } = await neighbours(replicated, mode);
      await world.time.run(13 * dayMs);
      assert.deepEqual(scheduled, []);
      await world.time.run(7 * dayMs);
      assert.deepEqual(await states(first), pending);
      assert.deepEqual(scheduled.at(-1), `${home} ${first}`);
    });

    it(`spare it when a standby refreshes it in another Region: ${name}`, async () => {
      const { world, first, scheduled, states } = await neighbours(replicated, mode);
      await world.server({ region: west, ...mode }, { seed: 6 });
      await world.time.run(40 * dayMs);
      assert.deepEqual(scheduled, []);
      assert.deepEqual(await states(first), enabled);
    });

    it(`spare it when they do not look after one of its Regions: ${name}`, async () => {
      const { world, first, scheduled, states } = await neighbours({ replica_regions: [west] }, mode);
      await world.time.run(40 * dayMs);
      assert.deepEqual(scheduled, []);
      assert.deepEqual(await states(first), enabled);
    });

    it(`spare it, and its replicas, without replica_regions: ${name}`, async () => {
      const { world, first, scheduled, states } = await neighbours({}, mode);
      await world.server({ region: west, ...mode }, { serverId: "western", seed: 8 });
      await world.time.run(40 * dayMs);
      assert.deepEqual(scheduled, []);
      assert.deepEqual(await states(first), enabled);
    });
  }

  it("spare it when KMS has recorded a use of a replica", async () => {
    const { world, first, scheduled } = await neighbours(replicated);
    for (let day = 0; day < 30; day++) {
      await world.west.call("Sign", {
        KeyId: first,
        Message: new Uint8Array(32),
        MessageType: "DIGEST",
        SigningAlgorithm: "ECDSA_SHA_256",
      });
      await world.time.run(dayMs);
    }
    assert.deepEqual(scheduled, []);
  });

  it("spare it while one of its Regions is away", async () => {
    const { world, first, states } = await neighbours(replicated);
    world.troubles.set(europe, "never arrives");
    await world.time.run(20 * dayMs);
    assert.deepEqual(await states(first), enabled);
  });
});
