import assert from "node:assert/strict";
import { before, beforeEach, describe, it } from "node:test";
import { KeyType } from "../../../src/plugin-sdk/index.ts";
import { pluginData } from "../harness/settings.ts";
import { signMessage } from "../harness/signing.ts";
import { useStage } from "../harness/stage.ts";
import { expectStatus } from "../harness/status.ts";
import type { TestPlugin } from "../harness/test-plugin.ts";

const keyIds = ["x509-CA-A", "JWT-Signer-A"] as const;
const message = Buffer.from("message");

/** The same settings in the forms in which they come. */
const texts: readonly (readonly [title: string, text: string])[] = [
  ["as SPIRE prints them", pluginData({ key_tags: { Team: "security" } })],
  [
    "with comments, blocks repeated and quoted keys",
    `# one
// two
/* three
   lines */
"region" = "us-east-2"
key_identifier_value = "server"
key_tags { Team = "security" }
key_tags { Environment = "test", }
key_policy_file = ""
`,
  ],
  ["on one line", `region = "us-east-2" key_identifier_value = "server" strict_key_discovery = true`],
  ["as JSON", JSON.stringify({ region: "us-east-2", key_identifier_value: "server", key_tags: { Team: "security" } })],
  ["with numbers and flags as strings", pluginData({ pending_window_in_days: "7", strict_key_discovery: "true" })],
  ["with names in capitals, as SPIRE's decoder takes them", pluginData().replace("region", "REGION")],
];

describe("Configure and Validate", () => {
  const stage = useStage();
  let plugin: TestPlugin;

  before(async () => {
    plugin = await stage.start();
    await plugin.configure();
    for (const keyId of keyIds) await plugin.generate(keyId, KeyType.EC_P256);
  });

  beforeEach(() => plugin.configure());

  it("Validate answers without asking AWS anything, also before the first Configure", async () => {
    const fresh = await stage.start({ env: { AWS_ENDPOINT_URL: "http://127.0.0.1:9" } });
    stage.kms.forgetCalls();
    const { valid, notes: none } = await fresh.validate({ key_identifier_value: "new" });
    assert.deepEqual([valid, none], [true, []]);
    // SPIRE's `validate` command takes a configuration with any note for invalid.
    const old = await fresh.validate({ key_identifier_value: undefined, key_metadata_file: "./id" });
    assert.deepEqual([old.valid, old.notes], [true, []]);
    const warning = await fresh.logged(/key_metadata_file is the old name of key_identifier_file/);
    assert.equal(warning.level, "warn");
    await expectStatus(fresh.keyManager.getPublicKeys({}), "FAILED_PRECONDITION", "not configured");
    assert.equal((await plugin.validate()).valid, true);
    assert.deepEqual(stage.kms.calls(), []);
    await fresh.stop();
  });

  for (const [title, text] of texts) {
    it(`settings ${title}: the keys are found`, async () => {
      assert.deepEqual((await plugin.validateText(text)).notes, []);
      await plugin.configureText(text);
      assert.deepEqual([...(await plugin.fingerprints()).keys()].sort(), [...keyIds].sort());
    });
  }

  it("the aliases of other servers, more than a page holds, are passed over and their keys not asked about", async () => {
    for (let server = 0; server < 3; server++) {
      const { KeyMetadata } = await stage.kms.call<{ KeyMetadata: { KeyId: string } }>("CreateKey", {});
      for (let key = 0; key < 45; key++) {
        const AliasName = `alias/SPIRE_SERVER/example_org/server-${server}/key-${key}`;
        await stage.kms.call("CreateAlias", { AliasName, TargetKeyId: KeyMetadata.KeyId });
      }
    }
    stage.kms.forgetCalls();
    const expected = await plugin.fingerprints();
    await plugin.configure();
    assert.deepEqual(await plugin.fingerprints(), expected);
    assert.equal(stage.kms.calls("DescribeKey").length, keyIds.length);
    assert.equal(stage.kms.calls("GetPublicKey").length, keyIds.length);
    const pages = stage.kms.calls("ListAliases").map(({ input }) => input);
    assert.equal(pages.length, 2);
    assert.deepEqual(pages[0], { Limit: 100 }, "as many at once as KMS gives");
  });

  it("signing goes on, with the same keys, while the configuration is replaced again and again", async () => {
    const expected = await plugin.fingerprints();
    let isOver = false;
    const signForEver = async (keyId: string): Promise<number> => {
      let count = 0;
      for (; !isOver || count === 0; count++) {
        const { keyFingerprint } = await signMessage(plugin, keyId, message, "sha256");
        assert.equal(keyFingerprint, expected.get(keyId));
      }
      return count;
    };
    const signing = keyIds.map(signForEver);
    for (let round = 0; round < 10; round++) await plugin.configure({ pending_window_in_days: 7 + round });
    isOver = true;
    for (const count of await Promise.all(signing)) assert.ok(count > 0);
    assert.deepEqual(await plugin.fingerprints(), expected);
  });

  it("another identity shows other keys, and the first ones are there again afterwards", async () => {
    const expected = await plugin.fingerprints();
    await plugin.configure({ key_identifier_value: "another-server" });
    assert.equal((await plugin.fingerprints()).size, 0);
    await expectStatus(signMessage(plugin, keyIds[0], message, "sha256"), "NOT_FOUND", `key "${keyIds[0]}" not found`);
    await plugin.configure();
    assert.deepEqual(await plugin.fingerprints(), expected);
  });

  it("a generation under way is in the new configuration when that stands", async () => {
    const held = stage.kms.pause({ operation: "CreateKey", when: "after" });
    const generated = plugin.generate("during-configure");
    await held.reached;
    const configured = plugin.configure({ pending_window_in_days: 30 });
    held.release();
    const [{ fingerprint }] = await Promise.all([generated, configured]);
    assert.equal((await plugin.fingerprints()).get("during-configure"), fingerprint);
  });

  it("a generation that comes during Configure waits for it and uses the new configuration", async () => {
    const held = stage.kms.pause({ operation: "ListAliases", when: "before" });
    const configured = plugin.configure({ key_identifier_value: "next", key_tags: { Configuration: "next" } });
    await held.reached;
    stage.kms.forgetCalls();
    const generated = plugin.generate("after-configure");
    held.release();
    await Promise.all([configured, generated]);
    const [created] = stage.kms.calls("CreateKey");
    assert.ok(created);
    assert.deepEqual((created.input as { Tags: unknown }).Tags, [{ TagKey: "Configuration", TagValue: "next" }]);
    assert.equal((await stage.kms.keyBehind("next", "after-configure")).state, "Enabled");
  });

  for (const [title, code] of [
    ["SPIRE's deadline passes", "DEADLINE_EXCEEDED"],
    ["SPIRE cancels the call", "CANCELLED"],
  ] as const) {
    it(`when ${title} during Configure, the old configuration stays`, async () => {
      const expected = await plugin.fingerprints();
      const held = stage.kms.pause({ operation: "ListAliases", when: "before" });
      const request = {
        coreConfiguration: { trustDomain: "example.org" },
        hclConfiguration: pluginData({ key_identifier_value: "too-late" }),
      };
      const abort = new AbortController();
      const options = code === "CANCELLED" ? { signal: abort.signal } : { timeoutMs: 1_500 };
      const configured = plugin.config.configure(request, options);
      await held.reached;
      abort.abort();
      await expectStatus(configured, code);
      // A call on the same connection: its answer shows that the plugin has heard of the cancellation before it.
      await plugin.host.ping();
      held.release();
      assert.deepEqual(await plugin.fingerprints(), expected);
      // The next Configure comes after the one that was given up.
      await plugin.configure();
      assert.deepEqual(await plugin.fingerprints(), expected);
    });
  }
});
