/** What holds for the rest with keys in more Regions than one: `migrate`, and the `kms` plugin. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { migrate } from "../../src/key-manager/migration/migration.ts";
import { awsKmsNames } from "../../src/plugin/aws-kms/names.ts";
import { parseKmsConfig } from "../../src/plugin/kms/settings.ts";
import { operatorClients } from "./operator-clients.ts";
import { aliasOf, bare, replicated, threeRegions, trustDomain, World } from "./three-regions.ts";

const keyId = "x509-CA-A";
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

describe("migrate", () => {
  it("renames multi-Region keys Region by Region; the server then looks after them under the new name", async () => {
    const world = new World();
    const before = await world.server(replicated);
    await world.generate(before);
    await world.time.run(60_000);
    const id = bare(before.entries.get(keyId)?.keyArn ?? "");
    before.kill();
    const names = { from: awsKmsNames(trustDomain, "root"), to: awsKmsNames(trustDomain, "renamed") };
    const { kmsIn, clock } = operatorClients(world);
    for (const phase of ["apply", "finish"] as const) {
      for (const region of threeRegions) {
        const report = await world.time.until(migrate(phase, { kms: kmsIn(region), names, clock, log: silent }));
        assert.deepEqual(report.refusals, [], `${phase} in ${region}`);
      }
    }
    const after = await world.server(replicated, { serverId: "renamed", seed: 2 });
    assert.equal(bare(after.entries.get(keyId)?.keyArn ?? ""), id);
    await world.generate(after);
    await world.time.run(120_000);
    const next = bare(after.entries.get(keyId)?.keyArn ?? "");
    for (const where of threeRegions) {
      const region = world.in(where);
      assert.equal((await region.aliases()).get(aliasOf(keyId, "renamed")), next, where);
      assert.equal((await region.aliases()).get(aliasOf(keyId)), undefined, where);
      assert.match(await region.state(id), /^Pending/, where);
    }
  });
});

describe("the kms plugin", () => {
  it("has no settings about Regions, and says so", () => {
    for (const name of ["multi_region", "replica_regions", "failover_regions"]) {
      const settings = { region: "us-east-1", [name]: name === "multi_region" ? true : ["us-west-2"] };
      const { config, problems } = parseKmsConfig("", { settings, problems: [] });
      assert.equal(config, undefined);
      assert.match(problems.join(), new RegExp(`^${name}: unknown setting`));
    }
    const { config } = parseKmsConfig("", { settings: { region: "us-east-1" }, problems: [] });
    assert.equal(config?.multiRegion.isOn, false);
  });
});
