/** Settings of `kms`: what is taken, warned of and refused. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SettingObject } from "../settings/plugin-data.ts";
import { parseKmsConfig } from "./settings.ts";

const parse = (settings: SettingObject) => parseKmsConfig("example.org", { settings, problems: [] });

describe("configuration of kms", () => {
  it("takes the original's four settings", () => {
    const { config, problems, warnings } = parse({
      access_key_id: "AKIA",
      secret_access_key: "secret",
      region: "us-east-2",
      key_prefix: "SERVER_A/",
    });
    assert.deepEqual({ problems, warnings }, { problems: [], warnings: [] });
    assert.equal(config?.keyPrefix, "SERVER_A/");
    assert.equal(config?.credentials?.secretAccessKey, "secret");
    assert.equal(config?.pendingWindowInDays, 7);
    assert.equal(config?.upkeep, undefined);
    assert.deepEqual(config?.keyTags, []);
  });

  it("needs a Region and nothing else; the prefix has the original's default", () => {
    assert.equal(parse({ region: "us-east-2" }).config?.keyPrefix, "SPIRE_SERVER_KEY/");
    assert.equal(parse({ region: "us-east-2", key_prefix: "" }).config?.keyPrefix, "SPIRE_SERVER_KEY/");
    const { config, problems } = parse({ key_prefix: "SERVER_A/" });
    assert.equal(config, undefined);
    assert.deepEqual(problems, [
      "region: configuration is missing a region; set it to the AWS Region that holds the keys, like us-east-2",
    ]);
  });

  const wrong: ReadonlyArray<readonly [title: string, settings: SettingObject, problem: RegExp]> = [
    [
      "characters that KMS refuses in an alias",
      { key_prefix: "prod.1/" },
      /^key_prefix: is "prod\.1\/"; it must contain/,
    ],
    ["a colon, which KMS refuses, too", { key_prefix: "prod:1/" }, /^key_prefix: is "prod:1\/"/],
    ["AWS's own aliases", { key_prefix: "aws/spire/" }, /^key_prefix: must not start with aws\//],
    ["a prefix that leaves no room", { key_prefix: `${"p".repeat(238)}/` }, /^key_prefix: has 239 characters.* 238 /],
    ["one of the two credentials", { access_key_id: "AKIA" }, /^secret_access_key: missing/],
    ["a slip of the pen", { key_prefx: "a/" }, /^key_prefx: unknown setting; did you mean `key_prefix`\?$/],
    ["a setting of aws_kms", { key_identifier_value: "a" }, /^key_identifier_value: unknown setting/],
    ["an array", { key_prefix: ["a/"] }, /^key_prefix: must be a string/],
  ];
  for (const [title, settings, problem] of wrong) {
    it(`refuses ${title}`, () => {
      const { config, problems } = parse({ region: "us-east-2", ...settings });
      assert.equal(config, undefined);
      assert.equal(problems.length, 1);
      assert.match(problems[0] ?? "", problem);
    });
  }

  it("takes the longest prefix, a number as text, and names in any case", () => {
    assert.equal(parse({ region: "r", key_prefix: "p".repeat(238) }).config?.keyPrefix.length, 238);
    assert.equal(parse({ region: "r", key_prefix: { number: "0042" } }).config?.keyPrefix, "0042");
    assert.equal(parse({ Region: "r", KEY_PREFIX: "a/" }).config?.keyPrefix, "a/");
  });

  it("warns of names that servers with aws_kms would prune", () => {
    const { config, warnings } = parse({ region: "us-east-2", key_prefix: "SPIRE_SERVER/example_org/a/" });
    assert.ok(config);
    assert.match(warnings[0] ?? "", /^key_prefix "SPIRE_SERVER\/example_org\/a\/" gives keys the names of aws_kms/);
  });

  it("reports all problems at once, and none of a text that could not be read beyond that", () => {
    assert.equal(parse({ regoin: "r", key_prefix: "ä", session_token: "t" }).problems.length, 4);
    const unread = parseKmsConfig("example.org", { settings: undefined, problems: ["plugin_data: no HCL"] });
    assert.deepEqual(unread, { problems: ["plugin_data: no HCL"], warnings: [] });
  });
});
