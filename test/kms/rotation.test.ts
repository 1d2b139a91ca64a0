import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CallRecord } from "../../src/kms-emulator/index.ts";
import { region } from "../plugin/harness/settings.ts";
import { signMessage } from "../plugin/harness/signing.ts";
import { useStage } from "../plugin/harness/stage.ts";
import { expectStatus } from "../plugin/harness/status.ts";
import type { TestPlugin } from "../plugin/harness/test-plugin.ts";
import { kmsCommand, kmsData } from "./kms-command.ts";
import { OriginalPlugin } from "./original-plugin.ts";

const dayMs = 86_400_000;

/** What a ScheduleKeyDeletion asked for; KMS takes a key by its ARN or its id. */
function deletionOf({ input }: CallRecord) {
  const { KeyId, PendingWindowInDays } = input as { KeyId: string; PendingWindowInDays: number };
  return {
    arn: KeyId.startsWith("arn:") ? KeyId : `arn:aws:kms:${region}:111122223333:key/${KeyId}`,
    days: PendingWindowInDays,
  };
}
const keyId = "x509-CA-A";

describe("kms makes and rotates keys", () => {
  const stage = useStage({ pluginCommand: kmsCommand });

  async function server(key_prefix: string): Promise<TestPlugin> {
    const plugin = await stage.start();
    await plugin.configureText(kmsData({ key_prefix }));
    return plugin;
  }

  const aliasesOf = async (prefix: string): Promise<readonly string[]> =>
    (await stage.kms.keys()).flatMap(({ aliases }) => aliases.filter((name) => name.startsWith(`alias/${prefix}`)));

  it("rotates the original's key: alias moved, old key deleted after seven days, found again after a restart", async () => {
    const original = await new OriginalPlugin(stage.kms, "rotate/").generate(keyId);
    const plugin = await server("rotate/");
    stage.kms.forgetCalls();
    const scheduled = stage.kms.done("ScheduleKeyDeletion");
    const rotated = await plugin.generate(keyId);
    assert.deepEqual(deletionOf(await scheduled), { arn: original.arn, days: 7 });
    const [created] = stage.kms.calls("CreateKey");
    assert.deepEqual(created?.input, {
      KeySpec: "ECC_NIST_P256",
      KeyUsage: "SIGN_VERIFY",
      Description: `rotate/${keyId}`,
    });

    assert.notEqual(rotated.fingerprint, original.fingerprint);
    const old = await stage.kms.key(original.arn);
    assert.equal(old.state, "PendingDeletion");
    const waitDays = ((old.deletionDate?.getTime() ?? 0) - Date.now()) / dayMs;
    assert.ok(waitDays > 6.9 && waitDays < 8.1, `${waitDays} days`);
    assert.equal((await stage.kms.key(`alias/rotate/${keyId}`)).fingerprint, rotated.fingerprint);
    assert.deepEqual(await aliasesOf("rotate/"), [`alias/rotate/${keyId}`], "one alias, as the original has it");

    await plugin.host.kill();
    const restarted = await server("rotate/");
    assert.deepEqual(await restarted.fingerprints(), new Map([[keyId, rotated.fingerprint]]));
    const { keyFingerprint } = await signMessage(restarted, keyId, Buffer.from("message"), "sha256");
    assert.equal(keyFingerprint, rotated.fingerprint);
  });

  it("makes ids that the original could not: with dots, pluses and slashes", async () => {
    const plugin = await server("odd/");
    const made = new Map<string, string>();
    for (const id of ["bundle-acme-example.org+rsa", "a/b", "a_2eb"]) {
      made.set(id, (await plugin.generate(id)).fingerprint);
    }
    assert.deepEqual([...(await aliasesOf("odd/"))].sort(), [
      "alias/odd/a_2fb",
      "alias/odd/a_5f2eb",
      "alias/odd/bundle-acme-example_2eorg_2brsa",
    ]);
    await plugin.stop();
    const restarted = await server("odd/");
    assert.deepEqual(new Map([...(await restarted.fingerprints())].sort()), new Map([...made].sort()));
  });

  it("lets a key go whose alias could not be made, where the original leaked it", async () => {
    const plugin = await server("refused/");
    const fault = stage.kms.fault({ kind: "error", name: "LimitExceededException", operation: "CreateAlias" });
    const scheduled = stage.kms.done("ScheduleKeyDeletion");
    await expectStatus(plugin.generate(keyId), "RESOURCE_EXHAUSTED", /failed to create alias/);
    const { input } = await scheduled;
    fault.remove();
    assert.equal((await stage.kms.key((input as { KeyId: string }).KeyId)).state, "PendingDeletion");
  });

  for (const [end, name] of [
    ["kill -9", "killed/"],
    ["an ordinary stop", "stopped/"],
  ] as const) {
    it(`schedules after the next start what ${end} kept it from scheduling`, async () => {
      const plugin = await server(name);
      const first = await plugin.generate(keyId);
      const fault = stage.kms.fault({ kind: "error", name: "ThrottlingException", operation: "ScheduleKeyDeletion" });
      const reminded = stage.kms.done("CreateAlias");
      const second = await plugin.generate(keyId);
      if (end === "kill -9") {
        await reminded;
        await plugin.host.kill();
      } else {
        await Promise.all([plugin.stop(), reminded]);
      }
      const left = (await stage.kms.keys()).find(({ fingerprint }) => fingerprint === first.fingerprint);
      assert.equal(left?.state, "Enabled");
      assert.deepEqual(left?.aliases, [`alias/${name}replaced/${left?.keyId}`]);

      fault.remove();
      const scheduled = stage.kms.done("ScheduleKeyDeletion");
      const restarted = await server(name);
      assert.deepEqual(deletionOf(await scheduled), { arn: left?.arn, days: 7 });
      assert.deepEqual(await restarted.fingerprints(), new Map([[keyId, second.fingerprint]]), "the mark is no key");
      assert.equal((await stage.kms.key(left?.arn ?? "")).state, "PendingDeletion");

      stage.kms.forgetCalls();
      await (await server(name)).stop();
      assert.equal(stage.kms.calls("ScheduleKeyDeletion").length, 0, "once is enough");
    });
  }

  it("never schedules a key that came back into use", async () => {
    const plugin = await server("back/");
    await plugin.generate(keyId);
    const key = await stage.kms.key(`alias/back/${keyId}`);
    await stage.kms.call("CreateAlias", { AliasName: `alias/back/replaced/${key.keyId}`, TargetKeyId: key.arn });
    stage.kms.forgetCalls();
    const restarted = await server("back/");
    assert.deepEqual(await restarted.fingerprints(), new Map([[keyId, key.fingerprint]]));
    await restarted.stop();
    assert.equal(stage.kms.calls("ScheduleKeyDeletion").length, 0);
  });

  it("does not take a mark's word for a foreign key", async () => {
    const other = await new OriginalPlugin(stage.kms, "theirs/").generate(keyId);
    const id = other.arn.slice(other.arn.lastIndexOf("/") + 1);
    await stage.kms.call("CreateAlias", { AliasName: `alias/ours/replaced/${id}`, TargetKeyId: other.arn });
    stage.kms.forgetCalls();
    await (await server("ours/")).stop();
    assert.equal(stage.kms.calls("ScheduleKeyDeletion").length, 0);
    assert.equal((await stage.kms.key(other.arn)).state, "Enabled");
  });
});
