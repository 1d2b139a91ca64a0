/** The built plugin over HTTP, with a way of its own to KMS in each Region: one is lost, comes back, and a standby is promoted. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash, randomBytes, verify } from "node:crypto";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { after, afterEach, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { PublicKey } from "../../../src/plugin-sdk/index.ts";
import { RegionRoad } from "../../fixtures/region-road.ts";
import { region as home, type Settings } from "../harness/settings.ts";
import { hashAlgorithms, publicKeyOf, signRequest } from "../harness/signing.ts";
import { pluginEnvironment, useStage } from "../harness/stage.ts";
import type { TestPlugin } from "../harness/test-plugin.ts";

const west = "us-west-2";
const keyId = "x509-CA-A";
const commandLine = fileURLToPath(new URL("../../../dist/bin/spire-aws-kms", import.meta.url));

async function signMany(plugin: TestPlugin, key: PublicKey, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const message = randomBytes(20);
    const digest = createHash("sha256").update(message).digest();
    const { signature, keyFingerprint } = await plugin.keyManager.signData(
      signRequest(keyId, digest, hashAlgorithms.sha256),
    );
    assert.equal(keyFingerprint, key.fingerprint);
    assert.ok(verify("sha256", message, publicKeyOf(key), signature), "a wrong signature");
  }
}

describe("the built plugin with keys in two Regions", () => {
  const stage = useStage();
  let roads: { readonly home: RegionRoad; readonly west: RegionRoad };
  before(async () => {
    const { endpoint } = stage.emulator;
    roads = { home: await RegionRoad.open(endpoint, 5), west: await RegionRoad.open(endpoint, 15) };
  });
  afterEach(() => roads.home.become("open"));
  after(() => {
    for (const road of Object.values(roads ?? {})) road.close();
  });

  const settings = (more: Settings = {}): Settings => ({
    key_identifier_value: "root",
    endpoint: roads.home.endpoint,
    replica_regions: [west],
    replica_endpoints: { [west]: roads.west.endpoint },
    ...more,
  });
  /** The same identity from the other side. */
  const mirrored = (more: Settings): Settings =>
    settings({
      ...more,
      region: west,
      endpoint: roads.west.endpoint,
      replica_regions: [home],
      replica_endpoints: { [home]: roads.home.endpoint },
    });

  async function ready(more: Settings = {}): Promise<{ readonly plugin: TestPlugin; readonly key: PublicKey }> {
    const plugin = await stage.start();
    await plugin.configure(settings(more));
    const key = await plugin.generate(keyId);
    await plugin.logged(/^Replica is ready$/, key.fingerprint === "" ? "" : west);
    return { plugin, key };
  }

  for (const state of ["silent", "cut"] as const) {
    it(`signs on while the way to its own Region is ${state}, and goes home when it is open again`, async () => {
      // An identity of its own each: the replicas of the test before would be ready at once.
      const { plugin, key } = await ready({ key_identifier_value: `lost-${state}` });
      await signMany(plugin, key, 20);
      roads.home.become(state);
      await signMany(plugin, key, 40);
      await plugin.logged(/^KMS fails in this server's Region/, home);
      // In silence CreateKey would wait for its answer for 25 s.
      if (state === "cut") await assert.rejects(plugin.generate("x509-CA-B"));
      roads.home.become("open");
      const back = plugin.logged(/^KMS answers again in this server's Region/, home).then(() => true);
      while (!(await Promise.race([back, signMany(plugin, key, 5).then(() => false)])));
      await signMany(plugin, key, 20);
      await plugin.stop();
    });
  }

  for (const state of ["silent", "cut"] as const) {
    it(`starts while the way to its own Region is ${state}: it finds its keys in the other one, only signs, and comes home`, async () => {
      const identity = { key_identifier_value: `restarted-${state}` };
      const { plugin: before, key } = await ready(identity);
      await before.stop();
      roads.home.become(state);
      const plugin = await stage.start();
      await plugin.configure(settings(identity));
      await plugin.logged(/^KMS does not answer in this server's Region: its keys were found in another one/, west);
      const { publicKeys } = await plugin.keyManager.getPublicKeys({});
      assert.deepEqual(
        publicKeys.map(({ id, fingerprint }) => [id, fingerprint]),
        [[keyId, key.fingerprint]],
      );
      await signMany(plugin, key, 20);
      await assert.rejects(
        plugin.generate("x509-CA-B"),
        new RegExp(`none is made before they have been found in ${home}`),
      );
      const homecoming = plugin.logged(/^KMS answers again in this server's Region: its keys were found there/, home);
      roads.home.become("open");
      await homecoming;
      await signMany(plugin, key, 5);
      const next = await plugin.generate("x509-CA-B");
      assert.notEqual(next.fingerprint, key.fingerprint);
      await plugin.stop();
    });
  }

  it("is promoted by an operator's command, and by nothing else", async () => {
    const identity = { key_identifier_value: "branch" };
    const { plugin: active } = await ready(identity);
    const standby = await stage.start();
    await standby.configure(mirrored(identity));
    await standby.logged(/^This server is a standby/);
    await assert.rejects(standby.generate(keyId), /spire-aws-kms promote --region us-west-2/);
    const common = ["--trust-domain", "example.org", "--server-id", "branch", "--region", west];
    const planned = await promote([...common, "--json"]);
    assert.equal(planned.code, 3);
    assert.equal(planned.json.result, "planned");
    assert.deepEqual(
      planned.json.promote?.map((key) => [key.key_id, key.primary_region]),
      [[keyId, home]],
    );
    await active.stop();
    const done = await promote([...common, "--yes", "--json"]);
    assert.deepEqual([done.code, done.json.result], [0, "promoted"]);
    const key = await standby.generate(keyId);
    await signMany(standby, key, 5);
    assert.equal((await promote([...common, "--json"])).json.result, "nothing to do");
  });

  interface PromoteJson {
    readonly result: string;
    readonly promote?: readonly { readonly key_id: string; readonly primary_region: string }[];
  }

  async function promote(flags: readonly string[]): Promise<{ readonly code: unknown; readonly json: PromoteJson }> {
    const environment = { ...process.env, ...pluginEnvironment(stage.emulator.endpoint, stage.folder) };
    const process_ = spawn(process.execPath, [commandLine, "promote", ...flags], {
      env: Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined)),
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [output, [code]] = await Promise.all([text(process_.stdout), once(process_, "exit")]);
    return { code, json: JSON.parse(output) };
  }
});
