/** Fleets in which some servers have replicas and some have none: whose turn it is, and what is told of keys that others' replicas keep. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Call } from "../simulation/simulated-account.ts";
import { type Settings, SimulatedServer } from "../simulation/simulated-server.ts";
import { bare, replicated, World, west } from "./three-regions.ts";

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const dayMs = 24 * 3_600_000;
const keyId = "x509-CA-A";
const said = (server: SimulatedServer, message: RegExp) => server.log.filter((line) => message.test(line.message));

/** Servers with a key each. */
async function fleetOf(world: World, count: number, settings: Settings, name: string): Promise<SimulatedServer[]> {
  const servers: SimulatedServer[] = [];
  for (let index = 0; index < count; index++) {
    const seed = 100 + index + name.length * 1_000;
    const server = await world.server(settings, { serverId: `${name}-${index}`, seed });
    await world.generate(server);
    servers.push(server);
  }
  return servers;
}

describe("a fleet of 16 servers of which three have replicas", () => {
  it("prunes the keys of one that has ended within two intervals, as a whole, and scans twice an interval", async (context) => {
    const world = new World();
    await fleetOf(world, 13, {}, "plain");
    const [dead] = await fleetOf(world, 3, replicated, "replicated");
    await world.time.run(2 * dayMs);
    assert.ok(dead !== undefined);
    const id = bare(dead.entries.get(keyId)?.keyArn ?? "");
    dead.kill();
    let scans = 0;
    world.account.watchers.add({
      onEffect: ({ operation, input, caller, region }: Call) => {
        const isWalk =
          operation === "ListAliases" && ["KeyId", "Marker"].every((name) => Reflect.get(input, name) === undefined);
        if (isWalk && caller instanceof SimulatedServer && region === "us-east-1") scans++;
      },
    });
    await world.time.run(14 * dayMs);
    context.diagnostic(`${scans} scans in 14 days`);
    assert.ok(scans >= 13 && scans <= 45, `${scans} scans in 14 days`);
    await world.time.run(2 * dayMs + 12 * 3_600_000);
    for (const region of [world.home, world.west, world.europe]) {
      assert.match(await region.state(id), /^Pending/, region.region);
    }
  });
});

describe("a key that others' replicas keep", () => {
  it("is told when it is rotated, with what removes them, and goes when they are removed", async () => {
    const world = new World();
    const server = await world.server({ multi_region: true });
    await world.generate(server);
    const id = bare(server.entries.get(keyId)?.keyArn ?? "");
    await world.home.call("ReplicateKey", { KeyId: id, ReplicaRegion: west });
    await world.time.run(minuteMs);
    await world.generate(server);
    await world.time.run(minuteMs);
    const [line] = said(server, /^Key is to stay after all/);
    assert.equal(line?.level, "warn");
    assert.match(String(line?.fields.reason), /has replicas in other Regions \(us-west-2\)/);
    const command = `aws kms schedule-key-deletion --region us-west-2 --key-id arn:aws:kms:us-west-2:111122223333:key/${id}`;
    assert.equal(line?.fields.remedy, command);
    await world.time.run(8 * dayMs);
    const told = said(server, /^Stale keys have members in Regions that this server does not look after/);
    assert.ok(told.length >= 2, "by each scan");
    assert.ok(String(told[0]?.fields.remedy).endsWith(command));
    await world.west.call("ScheduleKeyDeletion", { KeyId: id, PendingWindowInDays: 7 });
    await world.time.run(12 * dayMs);
    assert.match(await world.home.state(id), /^Pending/);
  });

  it("is told by a server without replica_regions that scans for one that has ended", async () => {
    const world = new World();
    const ended = await world.server(replicated, { serverId: "ended" });
    await world.generate(ended);
    await world.time.run(minuteMs);
    ended.kill();
    const scanner = await world.server({}, { serverId: "scanner", seed: 2 });
    await world.time.run(20 * dayMs);
    const [line] = said(scanner, /^Stale keys have members in Regions that this server does not look after/);
    assert.equal(line?.fields.keys, 1);
    assert.match(
      String(line?.fields.remedy),
      /^a server of the trust domain whose replica_regions name.*--region us-west-2.*--region eu-west-1/,
    );
  });
});
