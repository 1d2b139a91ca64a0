/** Settings of `aws_kms`: what is taken, warned of and refused, in which words. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { singleRegion } from "../../key-manager/config.ts";
import type { SettingObject } from "../settings/plugin-data.ts";
import { parseConfig } from "./settings.ts";

const base = { region: "us-east-2", key_identifier_value: "server-1" };
const parse = (settings: SettingObject) => parseConfig("example.org", { settings, problems: [] });
const hourMs = 3_600_000;
const problemsOf = (settings: SettingObject) => parse(settings).problems;

describe("configuration of aws_kms", () => {
  it("takes the seed's basic sample, with a warning about the file's old name", () => {
    const { config, problems, warnings } = parse({ region: "us-east-2", key_metadata_file: "./key_metadata" });
    assert.deepEqual(problems, []);
    assert.match(warnings.join(), /key_metadata_file is the old name of key_identifier_file/);
    assert.deepEqual(config, {
      trustDomain: "example.org",
      region: "us-east-2",
      credentials: undefined,
      profile: undefined,
      assumeRole: undefined,
      useFipsEndpoint: undefined,
      useDualstackEndpoint: undefined,
      signTransport: "own",
      hedgeSignatures: true,
      endpoint: undefined,
      stsEndpoint: undefined,
      identity: { kind: "file", path: "./key_metadata", setting: "key_metadata_file" },
      keyPolicyFile: undefined,
      keyTags: [],
      pendingWindowInDays: 7,
      maxKeysCreatedPerHour: 60,
      maxLiveKeys: 1_000,
      strictKeyDiscovery: false,
      refuseSharedIdentity: false,
      verifySignatures: true,
      grpcFastPath: true,
      metricsListen: undefined,
      tagBasedKeyDiscovery: false,
      retagExistingKeys: false,
      upkeep: {
        aliasRefreshIntervalMs: 6 * hourMs,
        staleAliasScanIntervalMs: 24 * hourMs,
        staleAliasThresholdMs: 14 * 24 * hourMs,
        staleKeyScanIntervalMs: 48 * hourMs,
        staleKeyThresholdMs: 48 * hourMs,
        scanStartDelayMs: hourMs / 6,
        pruneDryRun: false,
        pruneConfirmDelayMs: hourMs / 4,
        pruneAmbiguousKeys: false,
        shareScans: true,
        maxDeletionsPerScan: 100,
      },
      multiRegion: singleRegion,
    });
  });

  it("takes every setting", () => {
    const { config, problems } = parse({
      ...base,
      access_key_id: "AKIA1",
      secret_access_key: "s3cret",
      session_token: "t0ken",
      endpoint: "http://127.0.0.1:4566",
      sts_endpoint: "https://sts.example",
      key_policy_file: "/p.json",
      assume_role_arn: "arn:aws-us-gov:iam::111122223333:role/prod/spire",
      assume_role_external_id: "x1",
      use_fips_endpoint: true,
      metrics_listen: "[::1]:9988",
      key_tags: { Team: "security", Cost: { number: "0042" } },
      pending_window_in_days: { number: "30" },
      max_keys_created_per_hour: { number: "0" },
      strict_key_discovery: true,
      sign_transport: "sdk",
      hedge_signatures: false,
    });
    assert.deepEqual(problems, []);
    assert.deepEqual(config?.credentials, { accessKeyId: "AKIA1", secretAccessKey: "s3cret", sessionToken: "t0ken" });
    assert.deepEqual(config?.keyTags, [
      { key: "Team", value: "security" },
      { key: "Cost", value: "0042" },
    ]);
    assert.deepEqual(config?.assumeRole, {
      roleArn: "arn:aws-us-gov:iam::111122223333:role/prod/spire",
      externalId: "x1",
      sessionName: "spire-server",
    });
    assert.equal(config?.useFipsEndpoint, true);
    assert.deepEqual(config?.metricsListen, { host: "::1", port: 9988 });
    assert.equal(config?.pendingWindowInDays, 30);
    assert.equal(config?.maxKeysCreatedPerHour, 0);
    assert.equal(config?.strictKeyDiscovery, true);
    assert.equal(config?.signTransport, "sdk");
    assert.equal(config?.hedgeSignatures, false);
    assert.equal(config?.endpoint, "http://127.0.0.1:4566");
    assert.equal(config?.stsEndpoint, "https://sts.example");
  });

  it("treats empty strings as unset, as rendered charts have them", () => {
    const { config, problems } = parse({
      ...base,
      access_key_id: "",
      secret_access_key: "",
      key_policy_file: "",
      key_identifier_file: "",
      endpoint: "",
      sign_transport: "",
    });
    assert.deepEqual(problems, []);
    assert.equal(config?.credentials, undefined);
    assert.equal(config?.signTransport, "own");
  });

  it("matches names without regard to case and numbers as strings, as SPIRE's decoder does", () => {
    const { config } = parse({ Region: "us-east-2", KEY_IDENTIFIER_VALUE: { number: "007" } });
    assert.deepEqual(config?.identity, { kind: "value", value: "007" });
  });

  const wrong: ReadonlyArray<readonly [title: string, settings: SettingObject, pattern: RegExp]> = [
    ["no region", { key_identifier_value: "s" }, /^region: configuration is missing a region; set it/],
    [
      "an Availability Zone",
      { ...base, region: "us-east-2a" },
      /^region: is "us-east-2a"; it must be the code of an AWS Region/,
    ],
    [
      "an unknown transport",
      { ...base, sign_transport: "http" },
      /^sign_transport: must be "own" or "sdk", not "http"$/,
    ],
    ["a list as region", { ...base, region: ["us-east-2"] }, /^region: must be a string, not \["us-east-2"\]/],
    [
      "no server identity",
      { region: "us-east-2" },
      /^key_identifier_file: configuration requires server id or server id file path/,
    ],
    [
      "both identities",
      { ...base, key_identifier_file: "f" },
      /must not contain both server id and server id file path/,
    ],
    [
      "both file names",
      { region: "us-east-2", key_identifier_file: "f", key_metadata_file: "g" },
      /must not contain both 'key_identifier_file' and/,
    ],
    [
      "a bracket in the identifier",
      { ...base, key_identifier_value: "a[b" },
      /^key_identifier_value: is "a\[b"; it must contain only alphanumeric characters/,
    ],
    ["a caret in the identifier", { ...base, key_identifier_value: "a^b" }, /must contain only alphanumeric/],
    [
      "a long identifier",
      { ...base, key_identifier_value: "a".repeat(257) },
      /has 257 characters; it must not be longer than 256/,
    ],
    ["a reserved identifier", { ...base, key_identifier_value: "alias/aws/x" }, /must not start with alias\/aws\//],
    ["an identifier of slashes", { ...base, key_identifier_value: "//" }, /more than slashes/],
    [
      "half a credential",
      { ...base, access_key_id: "AKIA1" },
      /^secret_access_key: missing while access_key_id is set/,
    ],
    ["the other half", { ...base, secret_access_key: "s" }, /^access_key_id: missing while secret_access_key is set/],
    ["a lone session token", { ...base, session_token: "s" }, /^session_token: set without/],
    ["an endpoint without scheme", { ...base, endpoint: "localhost:4566" }, /^endpoint: must be an http/],
    [
      "a wrong window",
      { ...base, pending_window_in_days: { number: "3" } },
      /^pending_window_in_days: must be a whole number from 7 to 30, not 3/,
    ],
    ["a fractional window", { ...base, pending_window_in_days: { number: "7.5" } }, /must be a whole number/],
    [
      "a number as interval",
      { ...base, alias_refresh_interval: { number: "6" } },
      /^alias_refresh_interval: is "6"; it must be a duration of at least "1s", like/,
    ],
    [
      "a short stale alias threshold",
      { ...base, stale_alias_threshold: "23h" },
      /^stale_alias_threshold: is "23h"; it must be a duration of at least "24h"/,
    ],
    [
      "a threshold below two refreshes",
      { ...base, alias_refresh_interval: "13h", stale_alias_threshold: "25h" },
      /^stale_alias_threshold: is "25h"; it must be at least twice alias_refresh_interval \("13h"\)/,
    ],
    [
      "a short stale key threshold",
      { ...base, stale_key_threshold: "59m" },
      /^stale_key_threshold: is "59m".*at least "1h"/,
    ],
    [
      "no deletions at all",
      { ...base, max_deletions_per_scan: { number: "0" } },
      /^max_deletions_per_scan: must be a whole number from 1/,
    ],
    [
      "a user's ARN as role",
      { ...base, assume_role_arn: "arn:aws:iam::111122223333:user/x" },
      /^assume_role_arn: is .*must be the ARN of an IAM role/,
    ],
    [
      "an external id without role",
      { ...base, assume_role_external_id: "x" },
      /^assume_role_external_id: set without assume_role_arn/,
    ],
    [
      "a profile beside static keys",
      { ...base, profile: "p", access_key_id: "a", secret_access_key: "b" },
      /^profile: set beside access_key_id/,
    ],
    [
      "metrics on all interfaces",
      { ...base, metrics_listen: "0.0.0.0:9988" },
      /^metrics_listen: is "0.0.0.0:9988"; it must be a loopback address/,
    ],
    ["metrics without port", { ...base, metrics_listen: "127.0.0.1" }, /^metrics_listen: .*must be a loopback address/],
    [
      "metrics on port 70000",
      { ...base, metrics_listen: "localhost:70000" },
      /^metrics_listen: .*must be a loopback address/,
    ],
    [
      "a word as flag",
      { ...base, strict_key_discovery: "yes" },
      /^strict_key_discovery: must be true or false, not "yes"/,
    ],
    ["a misspelt setting", { ...base, key_tag: {} }, /^key_tag: unknown setting; did you mean `key_tags`\?/],
    ["swapped letters", { ...base, regoin: "x" }, /did you mean `region`\?/],
    ["an unknown setting", { ...base, banana: "x" }, /^banana: unknown setting; remove it/],
    ["tags that are no map", { ...base, key_tags: "a=b" }, /^key_tags: must be a map of strings/],
    ["a nested tag value", { ...base, key_tags: { a: { b: "c" } } }, /^key_tags: .*not a string/],
  ];
  for (const [title, settings, pattern] of wrong) {
    it(`refuses ${title}`, () => {
      const { config, problems } = parse(settings);
      assert.equal(config, undefined);
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.match(problems[0] ?? "", pattern);
    });
  }

  it("reports all problems together, tags' included", () => {
    const problems = problemsOf({
      regoin: "x",
      access_key_id: "AKIA1",
      key_tags: { "aws:x": "v", ["k".repeat(129)]: "v", "spire-x": "a", ok: "v".repeat(257), "bad!": "\u0000" },
    });
    assert.equal(problems.filter((problem) => problem.startsWith("key_tags:")).length, 6);
    assert.equal(problems.length, 6 + 4);
  });

  it("counts tag lengths in characters, not in UTF-16 units", () => {
    assert.deepEqual(problemsOf({ ...base, key_tags: { ["𝒜".repeat(128)]: "é".repeat(256) } }), []);
    assert.match(problemsOf({ ...base, key_tags: { ["𝒜".repeat(129)]: "" } }).join(), /has 129 characters/);
  });

  it("allows 50 tags and no more", () => {
    const tags = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, "v"]));
    assert.deepEqual(problemsOf({ ...base, key_tags: tags(50) }), []);
    assert.match(problemsOf({ ...base, key_tags: tags(51) }).join(), /51 tags; KMS allows 50/);
    const tagMode = { ...base, enable_tag_based_key_discovery: true };
    assert.deepEqual(problemsOf({ ...tagMode, key_tags: tags(45) }), []);
    assert.match(
      problemsOf({ ...tagMode, key_tags: tags(46) }).join(),
      /^key_tags: 46 tags besides the plugin's own 5/,
    );
  });

  it("says nothing more of a text that could not be read", () => {
    const { problems } = parseConfig("example.org", { settings: undefined, problems: ["plugin_data: broken"] });
    assert.deepEqual(problems, ["plugin_data: broken"]);
  });

  it("never quotes a secret", () => {
    const problems = problemsOf({
      ...base,
      secret_access_key: ["hunter2"],
      session_token: { hunter2: "hunter2" },
      access_key_id: ["hunter2"],
      endpoint: "http://user:hunter2@host",
      secret_acces_key: "hunter2",
    });
    assert.equal(problems.length >= 5, true);
    assert.doesNotMatch(problems.join(), /hunter2/);
  });
});
