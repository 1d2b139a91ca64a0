/** A standby that starts while KMS is still making its replicas: it waits a little, then watches, and takes them in. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SimulatedAccount } from "../simulation/simulated-account.ts";
import { type Settings, SimulatedServer } from "../simulation/simulated-server.ts";
import { aliasOf, bare, europe, home, replicated, trustDomain, World, west } from "./three-regions.ts";

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const keyId = "x509-CA-A";
const standbySettings: Settings = { region: west, replica_regions: [home, europe] };
const said = (server: SimulatedServer, message: RegExp) => server.log.filter((line) => message.test(line.message));

/** An active server whose key's replicas are being made for so long from now on. */
async function creating(transitionMs: number, mode: Settings = {}) {
  const world = new World(new SimulatedAccount({ transitionMs }));
  const active = await world.server({ ...replicated, ...mode });
  await world.generate(active);
  await world.time.run(3 * secondMs);
  const id = bare(active.entries.get(keyId)?.keyArn ?? "");
  assert.equal(await world.west.state(id), "Creating");
  assert.equal((await world.west.aliases()).get(aliasOf()), id);
  return { world, active, id };
}

describe("a standby that starts while KMS is making its replica", () => {
  for (const [name, mode] of [
    ["by aliases", {}],
    ["by tags", { enable_tag_based_key_discovery: true }],
  ] as const) {
    it(`waits for it at Configure, so that SPIRE finds it: ${name}`, async () => {
      const { world, id } = await creating(9 * secondMs, mode);
      const standby = await world.server({ ...standbySettings, ...mode }, { seed: 2 });
      assert.equal(bare(standby.entries.get(keyId)?.keyArn ?? ""), id);
      assert.deepEqual(said(standby, /unusable|still making/), []);
      await world.sign(standby);
    });

    it(`is configured within seconds, and takes it in later: ${name}`, async () => {
      const { world, id } = await creating(5 * minuteMs, mode);
      const begun = world.time.now;
      const standby = await world.server({ ...standbySettings, ...mode }, { seed: 2 });
      assert.ok(world.time.now - begun <= 12 * secondMs);
      assert.equal(standby.entries.size, 0);
      assert.equal(said(standby, /^KMS is still making a key of this server/).length, 1);
      assert.deepEqual(said(standby, /unusable/), [], "no operator is to do anything about it");
      await world.time.run(6 * minuteMs);
      assert.equal(bare(standby.entries.get(keyId)?.keyArn ?? ""), id);
      assert.equal(said(standby, /^Key is ready and in use/).length, 1);
      await world.sign(standby);
      await assert.rejects(world.generate(standby), { code: "FAILED_PRECONDITION", message: /standby/ });
    });
  }

  it("makes no key meanwhile, under this id or another: it does not know yet that it is a standby", async () => {
    const { world, id } = await creating(5 * minuteMs);
    const standby = await world.server(standbySettings, { seed: 2 });
    for (const asked of [keyId, "JWT-Signer-A"]) {
      await assert.rejects(world.generate(standby, asked), { code: "UNAVAILABLE", message: /still making keys/ });
    }
    assert.equal((await world.west.keys()).length, 1);
    assert.equal((await world.west.aliases()).get(aliasOf()), id);
  });

  it("follows the alias when the active server rotates meanwhile", async () => {
    const { world, active } = await creating(4 * minuteMs);
    const standby = await world.server(standbySettings, { seed: 2 });
    await world.generate(active);
    await world.time.run(12 * minuteMs);
    const current = active.entries.get(keyId)?.keyArn ?? "";
    assert.equal(bare(standby.entries.get(keyId)?.keyArn ?? ""), bare(current));
    await world.sign(standby);
  });

  it("gives up after a quarter of an hour, with a word", async () => {
    const { world } = await creating(60 * minuteMs);
    const standby = await world.server(standbySettings, { seed: 2 });
    await world.time.run(20 * minuteMs);
    assert.equal(said(standby, /^KMS has not finished making a key/).length, 1);
    await world.time.run(60 * minuteMs);
    await world.time.until(standby.configure());
    assert.equal(standby.entries.size, 1);
  });

  it("says what is wrong when it turns out to be unusable", async () => {
    const { world, id } = await creating(5 * minuteMs);
    const standby = await world.server(standbySettings, { seed: 2 });
    while ((await world.west.state(id)) === "Creating") await world.time.run(secondMs);
    await world.west.call("DisableKey", { KeyId: id });
    await world.time.run(5 * minuteMs);
    const [line] = said(standby, /^A key that KMS was making cannot be used/);
    assert.match(String(line?.fields.reason), /disabled; enable it/);
  });

  it("lets go of it at the next Configure", async () => {
    const { world } = await creating(2 * minuteMs);
    const standby = await world.server(standbySettings, { seed: 2 });
    await world.time.until(standby.configure());
    await world.time.run(10 * minuteMs);
    assert.equal(said(standby, /^Key is ready and in use/).length, 1, "the first configuration's watch is over");
    assert.equal(standby.entries.size, 1);
  });

  it("fails with strict_key_discovery", async () => {
    const { world, id } = await creating(5 * minuteMs);
    const settings = { ...standbySettings, strict_key_discovery: true };
    const standby = new SimulatedServer({ account: world.account, trustDomain, serverId: "root", settings, seed: 2 });
    await assert.rejects(world.time.until(standby.configure()), new RegExp(`${id}.*Creating`));
  });
});
