/** Signatures while KMS fails in the Region of the keys: never a wrong one, never one that takes long, and home again. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Settings, SimulatedServer } from "../simulation/simulated-server.ts";
import type { Trouble } from "../simulation/troubles.ts";
import { bare, europe, home, replicated, World, west } from "./three-regions.ts";

const keyId = "x509-CA-A";

/** A server with a key whose replicas are ready. */
async function ready(settings: Settings = replicated, latencyMs = 40) {
  const world = new World();
  const signed: { region: string | undefined; operation: string }[] = [];
  const server = await world.server(settings, { latencyMs });
  await world.generate(server);
  await world.time.run(120_000);
  world.account.watchers.add({
    onEffect: ({ operation, region, caller }) => caller === server && signed.push({ operation, region }),
  });
  return {
    world,
    server,
    signedIn: () => signed.filter(({ operation }) => operation === "Sign").map(({ region }) => region),
  };
}

/** Signs again and again. @returns how long each took */
async function signMany(world: World, server: SimulatedServer, count: number, pauseMs = 250): Promise<number[]> {
  const took: number[] = [];
  for (let n = 0; n < count; n++) {
    took.push(await world.sign(server));
    await world.time.run(pauseMs);
  }
  return took;
}

const max = (numbers: readonly number[]) => Math.max(...numbers);

/** A signature that had to wait for the limit of lateness and for the other Region. */
const firstOnesMs = 600;
/** One that is asked for elsewhere at once. */
const laterOnesMs = 200;

describe("loss of the Region of the keys", () => {
  const kinds: readonly Trouble[] = ["never arrives", "hangs", "internal", "page", "reset", "garbled answer"];
  for (const trouble of kinds) {
    it(`is not felt for longer than the first signatures: ${trouble}`, async () => {
      const { world, server } = await ready();
      await signMany(world, server, 40);
      world.troubles.set(home, trouble);
      const took = await signMany(world, server, 30);
      assert.ok(max(took) <= firstOnesMs, `the slowest took ${max(took)} ms`);
      assert.ok(max(took.slice(12)) <= laterOnesMs, `later ones took ${max(took.slice(12))} ms`);
      assert.equal(
        server.log.filter(({ message }) => message.startsWith("KMS fails in this server's Region")).length,
        1,
      );
    });
  }

  it("is felt no longer by many signatures at once", async () => {
    const { world, server } = await ready();
    await signMany(world, server, 50);
    world.troubles.set(home, "never arrives");
    const before = world.time.now;
    const took = await world.time.until(
      Promise.all(
        Array.from({ length: 100 }, async () => {
          await server.sign(keyId);
          return world.time.now - before;
        }),
      ),
    );
    assert.ok(max(took) <= firstOnesMs + 200, `${max(took)} ms`);
  });

  it("ends with the Region's return: probes bring signatures home", async () => {
    const { world, server, signedIn } = await ready();
    world.troubles.set(home, "never arrives");
    await signMany(world, server, 40);
    world.troubles.clear();
    const took = await signMany(world, server, 150);
    assert.ok(max(took) <= laterOnesMs);
    assert.equal(server.log.filter(({ message }) => message.startsWith("KMS answers again in this")).length, 1);
    const before = signedIn().length;
    await signMany(world, server, 10);
    assert.deepEqual(new Set(signedIn().slice(before)), new Set([home]));
  });

  it("goes on to the next Region when two are away", async () => {
    const { world, server, signedIn } = await ready();
    for (const region of [home, west]) world.troubles.set(region, "never arrives");
    const took = await signMany(world, server, 30);
    assert.ok(max(took) <= 2 * firstOnesMs, `${max(took)} ms`);
    assert.ok(max(took.slice(12)) <= laterOnesMs);
    assert.equal(signedIn().at(-1), europe);
  });

  it("is an error only when no Region answers, and then that of the Region of the keys", async () => {
    const { world, server } = await ready();
    for (const region of [home, west, europe]) world.troubles.set(region, "page");
    await assert.rejects(world.sign(server), /us-east-1.*Sign/);
    world.troubles.clear();
    await signMany(world, server, 3);
  });
});

describe("what is no failure of KMS", () => {
  for (const [trouble, code] of [
    ["throttled", "RESOURCE_EXHAUSTED"],
    ["denied", "PERMISSION_DENIED"],
    ["not valid", "FAILED_PRECONDITION"],
  ] as const) {
    it(`is KMS's word, and no other Region is asked: ${trouble}`, async () => {
      const { world, server, signedIn } = await ready();
      world.troubles.set(home, trouble);
      await assert.rejects(world.sign(server), { code });
      assert.ok(!signedIn().includes(west));
      assert.deepEqual(
        server.keyManager.gauges.regions?.map(({ isAnswering }) => isAnswering),
        [true, true, true],
      );
    });
  }

  it("one slow answer is overtaken by another Region, and the Region goes on being asked", async () => {
    const { world, server, signedIn } = await ready();
    await signMany(world, server, 50);
    let once = 1;
    world.troubles.set(home, (operation) => (operation === "Sign" && once-- > 0 ? "hangs" : undefined));
    const took = await signMany(world, server, 20);
    assert.ok(max(took) <= firstOnesMs);
    assert.equal(signedIn().filter((region) => region === west).length, 1);
  });
});

describe("a Region that is slow", () => {
  it("costs no signature more than the limit of lateness", async () => {
    const { world, server } = await ready();
    await signMany(world, server, 40);
    world.troubles.set(home, "slow");
    const took = await signMany(world, server, 40);
    // What is slow but answers may take as long as it is not late.
    assert.ok(max(took) <= 1_300, `${max(took)} ms`);
  });
});

describe("the order of Regions", () => {
  it("is that of failover_regions", async () => {
    const { world, server, signedIn } = await ready({ ...replicated, failover_regions: [europe, west] });
    world.troubles.set(home, "internal");
    await signMany(world, server, 10);
    assert.deepEqual(new Set(signedIn()), new Set([europe]));
  });

  it("may be empty: then no other Region is asked", async () => {
    const { world, server, signedIn } = await ready({ ...replicated, failover_regions: [] });
    world.troubles.set(home, "internal");
    await assert.rejects(world.sign(server), { code: "UNAVAILABLE" });
    assert.deepEqual(signedIn(), []);
  });

  it("may name Regions where others have made the replicas", async () => {
    const { world, server, signedIn } = await ready({ multi_region: true, failover_regions: [west] });
    await world.home.call("ReplicateKey", {
      KeyId: bare(server.entries.get(keyId)?.keyArn ?? ""),
      ReplicaRegion: west,
    });
    await world.time.run(60_000);
    world.troubles.set(home, "internal");
    await signMany(world, server, 5);
    assert.deepEqual(new Set(signedIn()), new Set([west]));
  });
});

describe("a signature from another Region", () => {
  it("is verified, whatever verify_signatures says", async () => {
    const { world, server } = await ready({ ...replicated, verify_signatures: false });
    world.troubles.set(home, "internal");
    world.troubles.set(west, (operation) => (operation === "Sign" ? "wrong signature" : undefined));
    await assert.rejects(world.sign(server), /does not verify/);
  });

  it("is not to be had of a key without a replica: the error is that of the home Region", async () => {
    const { world, server } = await ready({ multi_region: true, failover_regions: [west] });
    world.troubles.set(home, "page");
    await assert.rejects(world.sign(server), { code: "UNAVAILABLE" });
  });

  it("is not asked for with a single-Region key", async () => {
    const { world, server, signedIn } = await ready({ failover_regions: [west] });
    world.troubles.set(home, "page");
    await assert.rejects(world.sign(server), { code: "UNAVAILABLE" });
    assert.deepEqual(signedIn(), []);
  });
});
