import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { KeyType } from "../../../src/plugin-sdk/index.ts";
import type { KeyView } from "../harness/kms-view.ts";
import { publicKeyOf, signMessage, verifies } from "../harness/signing.ts";
import { useStage } from "../harness/stage.ts";
import { expectStatus } from "../harness/status.ts";
import type { TestPlugin } from "../harness/test-plugin.ts";

interface Trouble {
  readonly title: string;
  /** What an operator did to the key behind the alias. */
  readonly spoil: (key: KeyView, alias: string) => Promise<unknown>;
  /** What is said about it, and what to do. */
  readonly words: readonly RegExp[];
  /** What the operator does about it; undefined where only a new key helps. */
  readonly cure?: (key: KeyView) => Promise<unknown>;
  /** KMS does not let an alias move from a key of this usage to one that signs. */
  readonly holdsAlias?: boolean;
}

const keyId = "x509-CA-A";
const message = Buffer.from("message");

describe("keys of ours that cannot be used", () => {
  const stage = useStage();
  let plugin: TestPlugin;

  before(async () => {
    plugin = await stage.start();
  });

  const call = (operation: string, input: object) => stage.kms.call(operation, input);

  async function pointAt(alias: string, keySpec: string, keyUsage: string): Promise<void> {
    const input = { KeySpec: keySpec, KeyUsage: keyUsage };
    const made = await stage.kms.call<{ KeyMetadata: { KeyId: string } }>("CreateKey", input);
    // KMS itself lets an alias move only between keys of one class.
    await call("DeleteAlias", { AliasName: alias });
    await call("CreateAlias", { AliasName: alias, TargetKeyId: made.KeyMetadata.KeyId });
  }

  const troubles: readonly Trouble[] = [
    {
      title: "disabled",
      spoil: ({ keyId: KeyId }) => call("DisableKey", { KeyId }),
      words: [/disabled/, /aws kms enable-key --key-id arn:/, /aws kms delete-alias/],
      cure: ({ keyId: KeyId }) => call("EnableKey", { KeyId }),
    },
    {
      title: "pending deletion",
      spoil: ({ keyId: KeyId }) => call("ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 }),
      words: [/pending deletion/, /aws kms cancel-key-deletion --key-id arn:/, /enable-key/],
      async cure({ keyId: KeyId }) {
        await call("CancelKeyDeletion", { KeyId });
        await call("EnableKey", { KeyId });
      },
    },
    {
      title: "of a curve that SPIRE does not know",
      spoil: (_, alias) => pointAt(alias, "ECC_NIST_P521", "SIGN_VERIFY"),
      words: [/ECC_NIST_P521/, /point the alias at another key or delete it/],
    },
    {
      title: "for encryption",
      spoil: (_, alias) => pointAt(alias, "RSA_2048", "ENCRYPT_DECRYPT"),
      words: [/ENCRYPT_DECRYPT/, /delete it/],
      holdsAlias: true,
    },
  ];

  for (const [index, { title, spoil, words, cure, holdsAlias = false }] of troubles.entries()) {
    const serverId = `server-${index}`;
    const alias = `alias/SPIRE_SERVER/example_org/${serverId}/${keyId}`;
    const settings = { key_identifier_value: serverId };

    it(`${title}: left out by default, told at error, the others are kept`, async () => {
      await plugin.configure(settings);
      await plugin.generate(keyId);
      const other = await plugin.generate("JWT-Signer-A");
      await spoil(await stage.kms.keyBehind(serverId, keyId), alias);
      await plugin.configure(settings);
      assert.deepEqual(await plugin.fingerprints(), new Map([["JWT-Signer-A", other.fingerprint]]));
      const { arn } = await stage.kms.keyBehind(serverId, keyId);
      const entry = await plugin.logged(/unusable SPIRE key/, arn);
      assert.equal(entry.level, "error");
      assert.equal(entry.fields.alias_name, alias);
      for (const word of words) assert.match(String(entry.fields.reason), word);
    });

    it(`${title}: with strict_key_discovery Configure fails, names alias, key and the cure, and changes nothing`, async () => {
      const before = await plugin.fingerprints();
      const { arn } = await stage.kms.keyBehind(serverId, keyId);
      const named = [new RegExp(`alias ${alias} `), new RegExp(arn), ...words];
      const strict = plugin.configure({ ...settings, strict_key_discovery: true });
      await expectStatus(strict, "FAILED_PRECONDITION", ...named);
      assert.deepEqual(await plugin.fingerprints(), before);
    });

    if (cure !== undefined) {
      it(`${title}: the cure that was told helps`, async () => {
        const key = await stage.kms.keyBehind(serverId, keyId);
        await cure(key);
        await plugin.configure({ ...settings, strict_key_discovery: true });
        assert.deepEqual([...(await plugin.fingerprints()).keys()].sort(), ["JWT-Signer-A", keyId]);
      });
    } else {
      it(`${title}: SPIRE's next GenerateKey takes the alias back`, async () => {
        const { arn } = await stage.kms.keyBehind(serverId, keyId);
        if (holdsAlias) {
          const scheduled = stage.kms.done("ScheduleKeyDeletion");
          const words = [new RegExp(alias), /ValidationException: .*ENCRYPT_DECRYPT/];
          await expectStatus(plugin.generate(keyId), "FAILED_PRECONDITION", ...words);
          await scheduled;
          await call("DeleteAlias", { AliasName: alias });
        }
        const made = await plugin.generate(keyId);
        assert.equal((await stage.kms.keyBehind(serverId, keyId)).fingerprint, made.fingerprint);
        assert.equal((await stage.kms.key(arn)).state, "Enabled", "a key that is not ours is not deleted");
      });
    }
  }

  for (const [title, operation, words] of [
    ["disabled", "DisableKey", [/disabled/, /enable the key again/]],
    ["scheduled for deletion", "ScheduleKeyDeletion", [/pending deletion/, /cancel the deletion/]],
  ] as const) {
    it(`a key ${title} while it is in use: FAILED_PRECONDITION that names it, until GenerateKey replaces it`, async () => {
      const settings = { key_identifier_value: `in-use-${operation}` };
      await plugin.configure(settings);
      await plugin.generate(keyId, KeyType.EC_P384);
      const { arn } = await stage.kms.keyBehind(settings.key_identifier_value, keyId);
      await call(operation, { KeyId: arn });
      const refused = signMessage(plugin, keyId, message, "sha384");
      await expectStatus(refused, "FAILED_PRECONDITION", new RegExp(`"${keyId}"`), new RegExp(arn), ...words);
      const next = await plugin.generate(keyId, KeyType.EC_P384);
      const { signature, keyFingerprint } = await signMessage(plugin, keyId, message, "sha384");
      assert.equal(keyFingerprint, next.fingerprint);
      assert.ok(verifies(publicKeyOf(next), message, "sha384", signature));
    });
  }

  it("a key that no longer exists: FAILED_PRECONDITION, and it is replaced in the same way", async () => {
    const settings = { key_identifier_value: "deleted" };
    await plugin.configure(settings);
    await plugin.generate(keyId);
    const { arn } = await stage.kms.keyBehind("deleted", keyId);
    // As after a restart: a key that the plugin has just made itself is waited for instead.
    await plugin.configure(settings);
    await call("ScheduleKeyDeletion", { KeyId: arn, PendingWindowInDays: 7 });
    stage.emulator.control.advance(8 * 86_400_000);
    await expectStatus(signMessage(plugin, keyId, message, "sha256"), "FAILED_PRECONDITION", new RegExp(arn));
    const next = await plugin.generate(keyId);
    assert.equal((await signMessage(plugin, keyId, message, "sha256")).keyFingerprint, next.fingerprint);
  });
});
