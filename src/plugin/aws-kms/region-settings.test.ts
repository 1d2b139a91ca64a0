/** The settings about Regions: what is refused, with which words, and what the others come to. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Setting } from "../settings/plugin-data.ts";
import { readPluginData } from "../settings/plugin-data.ts";
import { parseConfig } from "./settings.ts";

const base = { region: "us-east-1", key_identifier_value: "root" };

const parse = (settings: Readonly<Record<string, Setting>>) =>
  parseConfig("example.org", { settings: { ...base, ...settings }, problems: [] });

const configOf = (settings: Readonly<Record<string, Setting>>) => {
  const { config, problems } = parse(settings);
  assert.ok(config !== undefined, problems.join("; "));
  return config.multiRegion;
};

describe("settings about Regions", () => {
  it("are off unless given", () => {
    const { isOn, replicaRegions, failoverRegions, makesKeysOnStandby } = configOf({});
    assert.deepEqual([isOn, replicaRegions, failoverRegions, makesKeysOnStandby], [false, [], [], false]);
  });

  it("make multi-Region keys with replica_regions, with multi_region, or with both", () => {
    const regions = ["us-west-2", "eu-west-1"];
    assert.deepEqual(
      [configOf({ replica_regions: regions }).isOn, configOf({ multi_region: true }).isOn],
      [true, true],
    );
    const both = configOf({ multi_region: true, replica_regions: regions });
    assert.deepEqual([both.isOn, both.replicaRegions, both.failoverRegions], [true, regions, regions]);
    assert.equal(configOf({ replica_regions: [] }).isOn, false);
  });

  it("fail over in the order of replica_regions, or in one of their own, or not at all", () => {
    const replica_regions = ["us-west-2", "eu-west-1"];
    assert.deepEqual(configOf({ replica_regions, failover_regions: ["eu-west-1"] }).failoverRegions, ["eu-west-1"]);
    assert.deepEqual(configOf({ replica_regions, failover_regions: [] }).failoverRegions, []);
  });

  it("are read from HCL and JSON as SPIRE hands them over", () => {
    for (const text of [
      'region = "us-east-1"\nkey_identifier_value = "root"\nreplica_regions = ["us-west-2", "eu-west-1"]\nreplica_endpoints { us-west-2 = "https://kms.example.org" }',
      '{"region":"us-east-1","key_identifier_value":"root","replica_regions":["us-west-2","eu-west-1"],"replica_endpoints":{"us-west-2":"https://kms.example.org"}}',
    ]) {
      const { config, problems } = parseConfig("example.org", readPluginData(text));
      assert.deepEqual(problems, []);
      assert.deepEqual(config?.multiRegion.replicaRegions, ["us-west-2", "eu-west-1"]);
      assert.equal(config?.multiRegion.endpoints.get("us-west-2"), "https://kms.example.org");
    }
    const one = parseConfig(
      "example.org",
      readPluginData('region = "us-east-1"\nkey_identifier_value = "r"\nreplica_regions = "us-west-2"'),
    );
    assert.deepEqual(one.config?.multiRegion.replicaRegions, ["us-west-2"]);
  });

  const wrong: readonly (readonly [name: string, settings: Readonly<Record<string, Setting>>, problem: RegExp])[] = [
    [
      "the own Region",
      { replica_regions: ["us-east-1"] },
      /^replica_regions: names us-east-1, which is the region of this server; .*remove it$/,
    ],
    [
      "a Region twice",
      { replica_regions: ["us-west-2", "us-west-2"] },
      /^replica_regions: names us-west-2 twice; keep one$/,
    ],
    [
      "a zone",
      { replica_regions: ["us-west-2a"] },
      /^replica_regions: is "us-west-2a"; it must be the code of an AWS Region/,
    ],
    ["nothing", { replica_regions: [""] }, /^replica_regions: holds an empty string; remove it$/],
    [
      "a number in the list",
      { replica_regions: [{ number: "5" }] },
      /^replica_regions: is .*must be the code of an AWS Region/,
    ],
    ["a flag for a list", { replica_regions: true }, /^replica_regions: must be a list of Regions/],
    [
      "another partition",
      { replica_regions: ["cn-north-1"] },
      /^replica_regions: names cn-north-1 of partition aws-cn, but keys of us-east-1 stay in partition aws; remove it$/,
    ],
    [
      "hundreds",
      { replica_regions: Array.from({ length: 21 }, (_, n) => `us-west-${n}`) },
      /^replica_regions: names more than 20 Regions$/,
    ],
    [
      "a contradiction",
      { multi_region: false, replica_regions: ["us-west-2"] },
      /^replica_regions: set beside multi_region = false/,
    ],
    ["a word as flag", { multi_region: "yes" }, /^multi_region: must be true or false/],
    [
      "the own Region to fail over to",
      { failover_regions: ["us-east-1"] },
      /^failover_regions: names us-east-1, .*it is always asked first/,
    ],
    [
      "an endpoint for a Region that is not used",
      { replica_endpoints: { "us-west-2": "https://a.example" } },
      /^replica_endpoints: names "us-west-2", which is in neither/,
    ],
    [
      "an endpoint without scheme",
      { replica_regions: ["us-west-2"], replica_endpoints: { "us-west-2": "a.example" } },
      /^replica_endpoints: must be an http/,
    ],
    [
      "one Region's endpoint for all",
      { endpoint: "https://kms-fips.us-east-1.amazonaws.com", replica_regions: ["us-west-2"] },
      /^endpoint: is the endpoint of us-east-1 alone; give the other Regions theirs in replica_endpoints \(us-west-2\)$/,
    ],
  ];
  for (const [name, settings, problem] of wrong) {
    it(`refuse ${name}`, () => {
      const { config, problems } = parse(settings);
      assert.equal(config, undefined);
      assert.ok(
        problems.some((told) => problem.test(told)),
        problems.join("\n"),
      );
    });
  }

  it("warn of a Region that may be misspelt, unless it has an endpoint of its own", () => {
    assert.match(
      String(parse({ replica_regions: ["us-west-22"] }).warnings),
      /^replica_regions: "us-west-22" is no Region/,
    );
    const own = { replica_regions: ["us-west-22"], replica_endpoints: { "us-west-22": "http://127.0.0.1:1" } };
    assert.deepEqual(parse(own).warnings, []);
  });
});
