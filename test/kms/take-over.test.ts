import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { publicKeyOf, signMessage, verifies } from "../plugin/harness/signing.ts";
import { useStage } from "../plugin/harness/stage.ts";
import { expectStatus } from "../plugin/harness/status.ts";
import type { TestPlugin } from "../plugin/harness/test-plugin.ts";
import { kmsCommand, kmsData } from "./kms-command.ts";
import { foreignAlias, type OriginalKey, OriginalPlugin } from "./original-plugin.ts";

const foreignAliases = [
  "alias/old/SPIRE_SERVER_KEY/x509-CA-A",
  "alias/SPIRE_SERVER_KEY/team/x509-CA-A",
  "alias/SPIRE_SERVER_KEYS/x509-CA-A",
  "alias/SPIRE_SERVER/example_org/a/x509-CA-A",
  "alias/web/SERVER_A/x509-CA-A",
  "alias/SERVER_AB/x509-CA-A",
  "alias/SERVER_A",
];

describe("an account that the original kms plugin leaves", () => {
  const stage = useStage({ pluginCommand: kmsCommand });
  const originals = new Map<string, OriginalPlugin>();
  let disabled: OriginalKey;
  let plugin: TestPlugin;
  const keyIds = ["x509-CA-A", "x509-CA-B", "JWT-Signer-A"];

  before(async () => {
    for (const keyPrefix of ["SPIRE_SERVER_KEY/", "SERVER_A/"]) {
      const original = new OriginalPlugin(stage.kms, keyPrefix);
      originals.set(keyPrefix, original);
      await original.generate("x509-CA-A");
      await original.generate("x509-CA-B", "ECC_NIST_P384");
      await original.generate("JWT-Signer-A", "RSA_2048");
      for (const keyId of ["x509-CA-A", "JWT-Signer-A", "JWT-Signer-A"]) await original.generate(keyId);
      await original.leak("bundle-acme-example.org+rsa");
    }
    disabled = await new OriginalPlugin(stage.kms, "SERVER_A/").generate("x509-CA-old");
    await stage.kms.call("DisableKey", { KeyId: disabled.arn });
    for (const aliasName of foreignAliases) await foreignAlias(stage.kms, aliasName);
    const { Aliases } = await stage.kms.call<{ Aliases: readonly { TargetKeyId?: string }[] }>("ListAliases", {});
    assert.ok(
      Aliases.some(({ TargetKeyId }) => TargetKeyId === undefined),
      "aliases of AWS's own without a target are listed, too",
    );
    plugin = await stage.start();
  });

  async function configured(keyPrefix: string): Promise<void> {
    stage.kms.forgetCalls();
    await plugin.configureText(kmsData({ key_prefix: keyPrefix }));
  }

  for (const keyPrefix of ["SPIRE_SERVER_KEY/", "SERVER_A/"]) {
    it(`${keyPrefix}: finds its keys and no other, and asks about no other`, async () => {
      const expected = originals.get(keyPrefix)?.fingerprints ?? new Map();
      await configured(keyPrefix);
      assert.deepEqual(new Map([...(await plugin.fingerprints())].sort()), new Map([...expected].sort()));
      assert.equal(expected.size, keyIds.length);

      const described = stage.kms.calls("DescribeKey").map(({ input }) => (input as { KeyId: string }).KeyId);
      const keys = await Promise.all(described.map((id) => stage.kms.key(id)));
      const own = keys.flatMap(({ aliases }) => aliases).sort();
      const skipped = keyPrefix === "SERVER_A/" ? ["x509-CA-old"] : [];
      assert.deepEqual(own, [...keyIds, ...skipped].map((keyId) => `alias/${keyPrefix}${keyId}`).sort());
      assert.deepEqual(stage.kms.calls("GetPublicKey").length, keyIds.length);
      const operations = new Set(stage.kms.calls().map(({ operation }) => operation));
      assert.deepEqual([...operations].sort(), ["DescribeKey", "GetPublicKey", "ListAliases"]);
    });

    it(`${keyPrefix}: signs with them`, async () => {
      await configured(keyPrefix);
      const message = Buffer.from("signed by the key that the original made");
      for (const keyId of ["x509-CA-A", "JWT-Signer-A"]) {
        const { publicKey } = await plugin.keyManager.getPublicKey({ keyId });
        assert.ok(publicKey);
        const { signature, keyFingerprint } = await signMessage(plugin, keyId, message, "sha256");
        assert.equal(keyFingerprint, originals.get(keyPrefix)?.fingerprints.get(keyId));
        assert.ok(verifies(publicKeyOf(publicKey), message, "sha256", signature));
      }
    });
  }

  it("skips a disabled key, and says so, and what to do about it", async () => {
    await configured("SERVER_A/");
    const entry = await plugin.logged(/left out/, "alias/SERVER_A/x509-CA-old");
    assert.match(String(entry.fields.reason), /the key is disabled; enable it/);
    await expectStatus(plugin.keyManager.getPublicKey({ keyId: "x509-CA-old" }), "NOT_FOUND");
  });

  it("fails for it with strict_key_discovery", async () => {
    await expectStatus(
      plugin.configureText(kmsData({ key_prefix: "SERVER_A/", strict_key_discovery: true })),
      "FAILED_PRECONDITION",
      /alias\/SERVER_A\/x509-CA-old .*the key is disabled/,
    );
  });

  it("makes a new key under a disabled key's name, where the original leaked one at each attempt", async () => {
    await configured("SERVER_A/");
    const { fingerprint } = await plugin.generate("x509-CA-old");
    const key = await stage.kms.key("alias/SERVER_A/x509-CA-old");
    assert.equal(key.fingerprint, fingerprint);
    assert.equal((await stage.kms.key(disabled.arn)).state, "Disabled", "what an operator disabled is left as it is");
  });

  it("leaves everybody else's keys as they were", async () => {
    for (const aliasName of foreignAliases) {
      const key = await stage.kms.key(aliasName);
      assert.deepEqual([key.state, key.aliases], ["Enabled", [aliasName]]);
    }
  });
});
