/** server.conf in every form that SPIRE reads, and in those that it refuses. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readSettings } from "../../plugin/settings/plugin-data.ts";
import { readServerConf } from "./server-conf.ts";

/** What was found, with plugin_data as settings. */
function read(text: string) {
  const conf = readServerConf(text);
  if ("problems" in conf) return conf;
  const { pluginData, warnings: _, ...block } = conf.keyManager;
  const settings = pluginData && readSettings(pluginData).settings;
  return { trustDomain: conf.trustDomain, ...block, settings };
}

const found = {
  trustDomain: "example.org",
  name: "aws_kms",
  pluginCmd: "/opt/aws_kms",
  pluginArgs: [],
  pluginChecksum: undefined,
  pluginDataFile: undefined,
  settings: { region: "us-east-2" },
};

describe("readServerConf", () => {
  const forms: Readonly<Record<string, string>> = {
    "the usual form": `
      server { trust_domain = "example.org" }
      plugins {
        DataStore "sql" { plugin_data { database_type = "sqlite3" } }
        KeyManager "aws_kms" {
          plugin_cmd = "/opt/aws_kms"
          plugin_data { region = "us-east-2" }
        }
      }`,
    "nested labels": `
      server = { trust_domain = "example.org" }
      plugins = { KeyManager = { aws_kms = { plugin_cmd = "/opt/aws_kms", plugin_data = { region = "us-east-2" } } } }`,
    JSON: JSON.stringify({
      server: { trust_domain: "example.org" },
      plugins: { KeyManager: { aws_kms: { plugin_cmd: "/opt/aws_kms", plugin_data: { region: "us-east-2" } } } },
    }),
    "JSON with lists": JSON.stringify({
      server: [{ trust_domain: "example.org" }],
      plugins: [
        { DataStore: [{ sql: [{ plugin_data: [{}] }] }] },
        { KeyManager: [{ aws_kms: [{ plugin_cmd: "/opt/aws_kms", plugin_data: [{ region: "us-east-2" }] }] }] },
      ],
    }),
    "names of settings in capitals, and another KeyManager that is disabled": `
      SERVER { Trust_Domain = "example.org" }
      Plugins {
        KeyManager "disk" { enabled = false plugin_data { keys_path = "keys.json" } }
        KeyManager "aws_kms" { PLUGIN_CMD = "/opt/aws_kms" enabled = true Plugin_Data { region = "us-east-2" } }
      }`,
    "several plugins blocks": `
      server { trust_domain = "example.org" }
      plugins { NodeAttestor "join_token" { plugin_data {} } }
      plugins { KeyManager "aws_kms" { plugin_cmd = "/opt/aws_kms" plugin_data { region = "us-east-2" } } }`,
  };
  for (const [form, text] of Object.entries(forms)) it(`reads ${form}`, () => assert.deepEqual(read(text), found));

  it("tells arguments, checksum and a file for plugin_data", () => {
    const text = `plugins { KeyManager "kms" {
      plugin_cmd = "bin/kms" plugin_args = ["-x", "y"] plugin_checksum = "abc" plugin_data_file = "kms.conf" } }`;
    assert.deepEqual(read(text), {
      trustDomain: undefined,
      name: "kms",
      pluginCmd: "bin/kms",
      pluginArgs: ["-x", "y"],
      pluginChecksum: "abc",
      pluginDataFile: "kms.conf",
      settings: undefined,
    });
  });

  it("takes the first of several plugin_data blocks, as SPIRE does, and says so", () => {
    const texts = [
      `plugins { KeyManager "aws_kms" { plugin_data { region = "us-east-2" } plugin_data { region = "eu-west-1" } } }`,
      `{"plugins":{"KeyManager":{"aws_kms":{"plugin_data":[{"region":"us-east-2"},{"region":"eu-west-1"}]}}}}`,
    ];
    for (const text of texts) {
      const conf = readServerConf(text);
      assert.ok("keyManager" in conf);
      const { pluginData, warnings } = conf.keyManager;
      assert.deepEqual(pluginData && readSettings(pluginData).settings, { region: "us-east-2" });
      assert.deepEqual(warnings, [
        'KeyManager "aws_kms": of 2 plugin_data blocks SPIRE takes the first and leaves the others out',
      ]);
    }
  });

  it("reads JSON as SPIRE does: null for nothing, escapes, a comma at the end, white space before", () => {
    const of = (block: string) => read(` \n{"plugins":{"KeyManager":{"aws_kms":${block},}}}`);
    const none = { ...found, trustDomain: undefined, pluginCmd: undefined };
    assert.deepEqual(of(`{"plugin_data":null,"plugin_cmd":null}`), { ...none, settings: undefined });
    assert.deepEqual(of(`{"plugin_data":{"region":"us-\\u0065ast-2"}}`), none);
  });

  const refused: readonly (readonly [string, RegExp])[] = [
    ["", /^plugins: the block is missing/],
    [`server { trust_domain = "example.org" }`, /^plugins: the block is missing/],
    [`plugins { DataStore "sql" {} }`, /there is no KeyManager block that is enabled; SPIRE needs exactly one/],
    [`plugins { KeyManager "aws_kms" { enabled = false } }`, /"aws_kms" is disabled/],
    [`plugins { KeyManager "aws_kms" {} KeyManager "disk" {} }`, /"aws_kms", "disk" are enabled side by side/],
    [`plugins { KeyManager "aws_kms" {} KeyManager "aws_kms" {} }`, /"aws_kms" is declared more than once/],
    [
      `plugins { KeyManager "aws_kms" { plugin_data {} plugin_data_file = "x" } }`,
      /only one of plugin_data and plugin_data_file/,
    ],
    [`plugins = "x"`, /^plugins: it must be a block/],
    [`plugins { KeyManager "aws_kms" { enabled = "false" } }`, /enabled must be true or false without quotes/],
    [`plugins { KeyManager "aws_kms" { plugin_args = "-x" } }`, /plugin_args must be a list of strings/],
    [`plugins { KeyManager "aws_kms" { plugin_cmd = true } }`, /plugin_cmd must be a string/],
    [
      `plugins { KeyManager "aws_kms" { plugin_data = [{ region = "r" }] } }`,
      /plugin_data must be a block of settings/,
    ],
    [
      `{"plugins":{"KeyManager":{"aws_kms":{"plugin_data":"region = \\"r\\""}}}}`,
      /plugin_data must be a block of settings/,
    ],
    [`{"plugins":{"KeyManager":{"aws_kms":{},"aws_kms":{}}}}`, /"aws_kms" is declared more than once/],
    [`server { trust_domain = true }\nplugins { KeyManager "aws_kms" {} }`, /^trust_domain: it must be a string/],
    ["server:\n  trust_domain: example.org\n", /reads HCL or JSON, and no YAML$/],
    ["# ours\n---\nserver: {}\n", /reads HCL or JSON, and no YAML$/],
    ["[server]\ntrust_domain = 1\n", /reads HCL or JSON, and no TOML$/],
    [`[{"plugins":{}}]`, /in JSON the whole has to be one object/],
    [`\ufeff{"plugins":{}}`, /byte order mark, which SPIRE does not take/],
    [`{ // no\n "plugins": {} }`, /^unable to decode configuration: line 1, column 3/],
    [`plugins { keymanager "aws_kms" {} }`, /there is no KeyManager block/],
    [`plugins { KeyManager "aws_kms" { secret = "Geheim`, /^unable to decode configuration: /],
  ];
  for (const [text, problem] of refused) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      const conf = readServerConf(text);
      assert.ok("problems" in conf);
      assert.match(conf.problems.join("; "), problem);
      assert.doesNotMatch(conf.problems.join("; "), /Geheim/);
    });
  }
});
