import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { signMessage } from "../plugin/harness/signing.ts";
import { useStage } from "../plugin/harness/stage.ts";
import { expectStatus } from "../plugin/harness/status.ts";
import type { TestPlugin } from "../plugin/harness/test-plugin.ts";
import { kmsCommand, kmsData } from "./kms-command.ts";
import { foreignAlias, OriginalPlugin } from "./original-plugin.ts";

/** Prefixes that the original would have mixed up, pair by pair. */
const pairs = [
  ["SERVER_A/", "SERVER_B/"],
  ["ha/", "ha/two/"],
  ["", "x/SPIRE_SERVER_KEY/"],
  ["prod-1", "prod-10"],
  ["web", "webb"],
] as const;

const keyIds = ["x509-CA-A", "JWT-Signer-A", "bundle-acme-example.org"];

describe("two servers with two prefixes", () => {
  const stage = useStage({ pluginCommand: kmsCommand });

  async function server(key_prefix: string): Promise<TestPlugin> {
    const plugin = await stage.start();
    await plugin.configureText(kmsData({ key_prefix }));
    return plugin;
  }

  describe("that the original would have mixed up", () => {
    let servers: readonly [TestPlugin, TestPlugin];

    before(async () => {
      servers = [await stage.start(), await stage.start()];
    });

    for (const [one, two] of pairs) {
      it(`"${one}" and "${two}" do not collide`, async () => {
        const [first, second] = servers;
        await first.configureText(kmsData({ key_prefix: one }));
        await second.configureText(kmsData({ key_prefix: two }));
        const made = [new Map<string, string>(), new Map<string, string>()] as const;
        // The last one is a rotation.
        for (const keyId of [...keyIds, "x509-CA-A"]) {
          for (const index of [0, 1] as const)
            made[index].set(keyId, (await servers[index].generate(keyId)).fingerprint);
        }
        assert.equal(new Set([...made[0].values(), ...made[1].values()]).size, 2 * keyIds.length);
        // Each in the other's place: what is found now comes from KMS.
        await first.configureText(kmsData({ key_prefix: two }));
        await second.configureText(kmsData({ key_prefix: one }));
        for (const [plugin, expected] of [
          [first, made[1]],
          [second, made[0]],
        ] as const) {
          assert.deepEqual(new Map([...(await plugin.fingerprints())].sort()), new Map([...expected].sort()));
          const { keyFingerprint } = await signMessage(plugin, "x509-CA-A", Buffer.from("message"), "sha256");
          assert.equal(keyFingerprint, expected.get("x509-CA-A"));
        }
      });
    }
  });

  it("leaves out what cannot be told apart, and says so", async () => {
    const one = new OriginalPlugin(stage.kms, "node-1");
    const ten = new OriginalPlugin(stage.kms, "node-10");
    const own = await one.generate("x509-CA-A");
    await ten.generate("x509-CA-A");
    const unknown = await ten.generate("some-key");
    const plugin = await server("node-1");
    assert.deepEqual(await plugin.fingerprints(), new Map([["x509-CA-A", own.fingerprint]]));
    const { fields } = await plugin.logged(/Cannot tell whose an alias is.*end key_prefix with a slash/);
    assert.equal(fields.alias_name, unknown.aliasName);
    assert.match(String(fields.reason), /key_prefix "node-10"/);
    await expectStatus(plugin.generate("0some-key"), "INVALID_ARGUMENT", /end key_prefix with a slash/);
    assert.equal((await stage.kms.key(unknown.aliasName)).fingerprint, unknown.fingerprint);
  });

  it("neither takes nor deletes a key that may be another server's", async () => {
    const other = new OriginalPlugin(stage.kms, "appl");
    await other.generate("x509-CA-A");
    const theirs = await other.generate("es");
    const plugin = await server("app");
    await plugin.logged(/Cannot tell whose an alias is/, theirs.aliasName);
    await expectStatus(
      plugin.generate("les"),
      "FAILED_PRECONDITION",
      /alias alias\/apples stands on a key that may be another server's .*; end key_prefix with a slash/,
    );
    await plugin.stop();
    const { state, aliases } = await stage.kms.key(theirs.arn);
    assert.deepEqual([state, aliases], ["Enabled", [theirs.aliasName]]);
  });

  it("takes no alias of another program behind a prefix without a slash", async () => {
    const arn = await foreignAlias(stage.kms, "alias/billingkey", "the key of our billing");
    const plugin = await server("billing");
    assert.deepEqual(await plugin.fingerprints(), new Map());
    await expectStatus(
      plugin.generate("key"),
      "FAILED_PRECONDITION",
      /alias alias\/billingkey stands on a key that is not this server's .*give this server another key_prefix/,
    );
    assert.deepEqual((await stage.kms.key(arn)).aliases, ["alias/billingkey"]);
  });

  it("tells which prefixes KMS would refuse, before it is asked", async () => {
    const plugin = await stage.start();
    const { valid, notes } = await plugin.validateText(kmsData({ key_prefix: "prod.server/1/", key_tags: { a: "1" } }));
    assert.equal(valid, false);
    assert.match(notes.join("\n"), /^key_prefix: is "prod.server\/1\/"; it must contain only/m);
    assert.match(notes.join("\n"), /^key_tags: unknown setting/m);
    await expectStatus(plugin.configureText(kmsData({ key_prefix: "aws/a/" })), "INVALID_ARGUMENT", /must not start/);
  });
});
