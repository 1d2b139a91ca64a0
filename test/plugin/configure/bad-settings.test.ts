import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { before, describe, it } from "node:test";
import { pluginData, type Settings } from "../harness/settings.ts";
import { publicKeyOf, signMessage, verifies } from "../harness/signing.ts";
import { useStage } from "../harness/stage.ts";
import { expectStatus } from "../harness/status.ts";
import type { TestPlugin } from "../harness/test-plugin.ts";

type Wrong = readonly [title: string, settings: Settings, ...words: readonly RegExp[]];

const tags = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`tag-${i}`, "v"]));

/** Each wrong setting by itself, and what the operator must be able to read: the setting, and what to do about it. */
const wrongSettings: readonly Wrong[] = [
  ["no region", { region: undefined }, /region: .*missing.*us-east-2/],
  ["empty region", { region: "" }, /region: .*missing/],
  ["an Availability Zone", { region: "us-east-2a" }, /region: is "us-east-2a"/],
  ["a region with a space", { region: "us east" }, /region: is "us east"/],
  ["a list as region", { region: ["us-east-2"] }, /region: must be a string/],
  ["no identity", { key_identifier_value: undefined }, /key_identifier_file: .*key_identifier_value/],
  ["two identities", { key_identifier_file: "id" }, /must not contain both/],
  [
    "both names of the file",
    { key_identifier_value: undefined, key_identifier_file: "a", key_metadata_file: "b" },
    /key_metadata_file/,
  ],
  ["an identifier with a dot", { key_identifier_value: "a.b" }, /key_identifier_value: is "a\.b"/],
  ["an identifier with a bracket", { key_identifier_value: "a]b" }, /key_identifier_value/],
  ["an identifier of 257 characters", { key_identifier_value: "x".repeat(257) }, /257 characters/, /256/],
  ["AWS's own prefix", { key_identifier_value: "alias/aws/x" }, /must not start with alias\/aws\//],
  ["an identifier of slashes", { key_identifier_value: "//" }, /key_identifier_value/],
  ["an access key id alone", { access_key_id: "AKIAALONE" }, /secret_access_key: missing/],
  ["a secret alone", { secret_access_key: "Lonely+Secret/Of0The1Settings2Test345678" }, /access_key_id: missing/],
  ["a session token alone", { session_token: "Lonely//Token+" }, /session_token/],
  ["an endpoint without a scheme", { endpoint: "localhost:4566" }, /endpoint: must be an http/],
  ["an endpoint with a password", { endpoint: "http://u:hidden-endpoint-password@h" }, /endpoint: .*without user name/],
  ["an unknown STS endpoint", { sts_endpoint: "ftp://h" }, /sts_endpoint/],
  ["a misspelt setting", { key_tag: { a: "b" } }, /key_tag: unknown setting; did you mean `key_tags`\?/],
  ["a setting of another plugin", { key_prefix: "a/" }, /key_prefix: unknown setting/],
  ["tags that are no map", { key_tags: "a=b" }, /key_tags: must be a map/],
  ["a tag without a name", { key_tags: { "": "v" } }, /key_tags: .*empty/],
  ["a tag with a reserved name", { key_tags: { "aws:x": "v" } }, /"aws:x".*reserve/],
  ["a tag with SPIRE's prefix", { key_tags: { "spire-x": "v" } }, /"spire-x".*reserved/],
  ["a tag name of 129 characters", { key_tags: { ["n".repeat(129)]: "v" } }, /129 characters.*128/],
  ["a tag value of 257 characters", { key_tags: { n: "v".repeat(257) } }, /257 characters.*256/],
  ["a tag with a bad character", { key_tags: { n: "a&b" } }, /"a&b"/],
  ["51 tags", { key_tags: tags(51) }, /key_tags: 51 tags.*50/],
  [
    "46 tags beside the plugin's own five",
    { key_tags: tags(46), enable_tag_based_key_discovery: true },
    /key_tags: 46 tags/,
  ],
  ["a window of 6 days", { pending_window_in_days: 6 }, /pending_window_in_days: .*7 to 30.*6/],
  ["a window of 31 days", { pending_window_in_days: "31" }, /pending_window_in_days: .*7 to 30.*31/],
  ["a window that is no number", { pending_window_in_days: "a week" }, /pending_window_in_days: .*a week/],
  ["a negative ceiling", { max_keys_created_per_hour: -1 }, /max_keys_created_per_hour: .*-1/],
  ["a flag that is neither", { strict_key_discovery: "yes" }, /strict_key_discovery: must be true or false/],
  ["a duration without a unit", { alias_refresh_interval: "6" }, /alias_refresh_interval: .*duration/],
  ["a threshold below a day", { stale_alias_threshold: "23h" }, /stale_alias_threshold: .*24h/],
  [
    "a threshold too near the refresh",
    { alias_refresh_interval: "13h", stale_alias_threshold: "25h" },
    /stale_alias_threshold: .*twice alias_refresh_interval/,
  ],
  ["a threshold of orphans below an hour", { stale_key_threshold: "59m" }, /stale_key_threshold: .*1h/],
  ["no deletions at all", { max_deletions_per_scan: 0 }, /max_deletions_per_scan/],
];

const good = `region = "us-east-2"\nkey_identifier_value = "server"\n`;

/** Text that is not HCL 1, and where it goes wrong. */
const wrongTexts: readonly (readonly [title: string, text: string, line: number, column: number])[] = [
  ["a string without its end", `region = "us-east-2\nkey_identifier_value = "a"\n`, 1, 10],
  ["a value without its name", `${good}= "x"\n`, 3, 1],
  ["a name without its value", `${good}endpoint = ]\n`, 3, 12],
  ["an object without its end", `${good}key_tags {\n  a = "b"\n`, 5, 1],
  ["a comment without its end", `${good}/* what\n`, 3, 1],
  ["a heredoc without its end", `${good}endpoint = <<EOT\nhttp://h\n`, 3, 12],
  ["a brace too many", `${good}}\n`, 3, 1],
  ["JSON with a comma too many", `{ "region": "us-east-2",, }`, 1, 25],
];

describe("wrong settings: one clear error each, nothing left behind", () => {
  const secrets = ["Lonely+Secret/Of0The1Settings2Test345678", "Lonely//Token+", "hidden-endpoint-password"];
  const stage = useStage({ secrets });
  let plugin: TestPlugin;
  let fingerprint: string;

  before(async () => {
    plugin = await stage.start();
    await plugin.configure();
    ({ fingerprint } = await plugin.generate("x509-CA-A"));
    stage.kms.forgetCalls();
  });

  async function assertRefused(text: string, words: readonly RegExp[]): Promise<string> {
    const details = await expectStatus(
      plugin.configureText(text),
      "INVALID_ARGUMENT",
      /^invalid configuration: /,
      ...words,
    );
    const { valid, notes } = await plugin.validateText(text);
    assert.equal(valid, false);
    for (const word of words)
      assert.ok(
        notes.some((note) => word.test(note)),
        `${word} in ${notes.join("\n")}`,
      );
    return details;
  }

  for (const [title, settings, ...words] of wrongSettings) {
    it(title, async () => {
      const details = await assertRefused(pluginData(settings), words);
      assert.ok(!details.includes("; region"), "one fault, one complaint");
    });
  }

  for (const [title, text, line, column] of wrongTexts) {
    it(`HCL: ${title}, line ${line}, column ${column}`, async () => {
      await assertRefused(text, [new RegExp(`line ${line}, column ${column}: `)]);
    });
  }

  it("a setting given twice: both lines are named", async () => {
    await assertRefused(`${good}region = "eu-west-1"\n`, [/region: given more than once \(lines 1 and 3\)/]);
  });

  it("all problems together, in Configure and in Validate", async () => {
    const text = pluginData({
      region: "nowhere!",
      key_identifier_value: "a.b",
      endpoint: "h",
      pending_window_in_days: 3,
    });
    await assertRefused(text, [/region: /, /key_identifier_value: /, /endpoint: /, /pending_window_in_days: /]);
    assert.equal((await plugin.validateText(text)).notes.length, 4);
  });

  for (const [title, trustDomain, word] of [
    ["none", "", /trust_domain/],
    ["with capitals", "Example.org", /lower-case/],
    ["with a slash", "example.org/a", /trust_domain is malformed/],
    ["with a port", "example.org:80", /trust_domain is malformed/],
    ["of 256 characters", "a".repeat(256), /256 characters.*255/],
    ["with a letter beyond ASCII", "exämple.org", /trust_domain is malformed/],
  ] as const) {
    it(`trust domain ${title}`, async () => {
      await expectStatus(plugin.configure({}, trustDomain), "INVALID_ARGUMENT", word);
      const { valid, notes } = await plugin.validate({}, trustDomain);
      assert.equal(valid, false);
      assert.ok(notes.some((note) => word.test(note)));
    });
  }

  it("no core configuration at all", async () => {
    const hclConfiguration = pluginData();
    await expectStatus(
      plugin.config.configure({ hclConfiguration }),
      "INVALID_ARGUMENT",
      /core configuration is required/,
    );
    const { valid, notes } = await plugin.config.validate({ hclConfiguration });
    assert.equal(valid, false);
    assert.match(notes.join(), /core configuration is required/);
  });

  it("has asked AWS nothing, left no file, and the configuration from before still works", async () => {
    assert.deepEqual(stage.kms.calls(), []);
    assert.deepEqual(await readdir(stage.folder), []);
    assert.deepEqual(await plugin.fingerprints(), new Map([["x509-CA-A", fingerprint]]));
    const message = Buffer.from("still here");
    const { signature, keyFingerprint } = await signMessage(plugin, "x509-CA-A", message, "sha256");
    assert.equal(keyFingerprint, fingerprint);
    const { publicKey } = await plugin.keyManager.getPublicKey({ keyId: "x509-CA-A" });
    assert.ok(publicKey && verifies(publicKeyOf(publicKey), message, "sha256", signature));
  });
});
