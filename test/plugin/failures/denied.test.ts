import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { before, describe, it } from "node:test";
import type { StatusCode } from "../../../src/plugin-sdk/index.ts";
import { signMessage } from "../harness/signing.ts";
import { useStage } from "../harness/stage.ts";
import { expectStatus } from "../harness/status.ts";
import type { TestPlugin } from "../harness/test-plugin.ts";

interface Failure {
  readonly title: string;
  readonly name: string;
  readonly code: StatusCode;
  readonly words: (operation: string) => readonly RegExp[];
}

const allow = (operation: string) => new RegExp(`allow kms:${operation} for this identity`);

/** What AWS may answer to any call, and what the operator reads then. */
const failures: readonly Failure[] = [
  {
    title: "a denied permission",
    name: "AccessDeniedException",
    code: "PERMISSION_DENIED",
    words: (operation) => [allow(operation)],
  },
  {
    title: "an expired token",
    name: "ExpiredTokenException",
    code: "UNAUTHENTICATED",
    words: () => [/credentials/],
  },
  {
    title: "an unknown access key",
    name: "UnrecognizedClientException",
    code: "UNAUTHENTICATED",
    words: () => [/access_key_id/],
  },
];

/** The calls that Configure cannot do without, each refused by itself. */
const operations = ["ListAliases", "DescribeKey", "GetPublicKey"] as const;

const keyId = "x509-CA-A";

describe("AWS refuses: the code that fits, the operation by name, nothing left behind", () => {
  const stage = useStage();
  let plugin: TestPlugin;
  let fingerprint: string;

  before(async () => {
    plugin = await stage.start();
    await plugin.configure();
    ({ fingerprint } = await plugin.generate(keyId));
  });

  async function assertStillWorks(): Promise<void> {
    assert.equal((await plugin.fingerprints()).get(keyId), fingerprint);
    const { keyFingerprint } = await signMessage(plugin, keyId, Buffer.from("message"), "sha256");
    assert.equal(keyFingerprint, fingerprint);
  }

  for (const { title, name, code, words } of failures) {
    for (const operation of operations) {
      it(`Configure meets ${title} at ${operation}`, async () => {
        const fault = stage.kms.fault({ kind: "error", name, message: "no", operation });
        const file = { key_identifier_value: undefined, key_identifier_file: "./id" };
        // DescribeKey and GetPublicKey are asked about keys that exist, and those are of the other identity.
        const settings = operation === "DescribeKey" || operation === "GetPublicKey" ? {} : file;
        await expectStatus(
          plugin.configure(settings),
          code,
          new RegExp(`${operation}: ${name}: no`),
          ...words(operation),
        );
        assert.ok(fault.hits > 0);
        fault.remove();
        assert.deepEqual(await readdir(stage.folder), [], "no id file");
        await assertStillWorks();
      });
    }

    it(`SignData meets ${title}`, async () => {
      const fault = stage.kms.fault({ kind: "error", name, message: "no", operation: "Sign" });
      const refused = signMessage(plugin, keyId, Buffer.from("message"), "sha256");
      await expectStatus(refused, code, new RegExp(`"${keyId}"`), /arn:aws:kms:/, new RegExp(name), ...words("Sign"));
      fault.remove();
      await assertStillWorks();
    });

    it(`GenerateKey meets ${title} at CreateKey: no key`, async () => {
      const before = await stage.kms.keys();
      const fault = stage.kms.fault({ kind: "error", name, message: "no", operation: "CreateKey" });
      await expectStatus(plugin.generate(keyId), code, /failed to create key/, new RegExp(name), ...words("CreateKey"));
      // Credentials are fetched anew now and then, and the call that AWS has refused is made once more with them.
      assert.ok(fault.hits <= (code === "UNAUTHENTICATED" ? 2 : 1), "a refusal is not tried again");
      fault.remove();
      assert.deepEqual(await stage.kms.keys(), before);
      await assertStillWorks();
    });

    for (const [operation, id] of [
      ["GetPublicKey", keyId],
      ["UpdateAlias", keyId],
      ["CreateAlias", "another"],
    ] as const) {
      it(`GenerateKey meets ${title} at ${operation}: the new key is scheduled for deletion`, async () => {
        const known = new Set((await stage.kms.keys()).map(({ arn }) => arn));
        const fault = stage.kms.fault({ kind: "error", name, message: "no", operation });
        const scheduled = stage.kms.done("ScheduleKeyDeletion");
        await expectStatus(plugin.generate(id), code, new RegExp(name), ...words(operation));
        await scheduled;
        fault.remove();
        const made = (await stage.kms.keys()).filter(({ arn }) => !known.has(arn));
        assert.deepEqual(
          made.map(({ state, aliases }) => [state, aliases.length]),
          [["PendingDeletion", 0]],
        );
        assert.equal((await plugin.fingerprints()).has("another"), false);
        await assertStillWorks();
      });
    }
  }

  it("ScheduleKeyDeletion is denied: GenerateKey succeeds, the refusal is told, and tried again until it is allowed", async () => {
    const { arn } = await stage.kms.keyBehind("server", keyId);
    const name = "AccessDeniedException";
    const fault = stage.kms.fault({ kind: "error", name, operation: "ScheduleKeyDeletion" });
    ({ fingerprint } = await plugin.generate(keyId));
    const entry = await plugin.logged(/Failed to schedule key deletion/, arn);
    assert.equal(entry.level, "warn");
    assert.match(String(entry.fields.reason), /AccessDeniedException/);
    assert.equal((await stage.kms.key(arn)).state, "Enabled");
    const scheduled = stage.kms.done("ScheduleKeyDeletion");
    fault.remove();
    await scheduled;
    assert.equal((await stage.kms.key(arn)).state, "PendingDeletion");
    await plugin.logged(/Key scheduled for deletion/, arn);
  });

  it("a first Configure that fails leaves the plugin not configured, and the next one works", async () => {
    const fresh = await stage.start();
    const fault = stage.kms.fault({ kind: "error", name: "AccessDeniedException", operation: "ListAliases" });
    await expectStatus(fresh.configure(), "PERMISSION_DENIED", /kms:ListAliases/);
    await expectStatus(fresh.keyManager.getPublicKeys({}), "FAILED_PRECONDITION", "not configured");
    fault.remove();
    await fresh.configure();
    assert.equal((await fresh.fingerprints()).get(keyId), fingerprint);
  });
});
