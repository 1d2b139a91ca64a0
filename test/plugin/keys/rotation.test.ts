import assert from "node:assert/strict";
import { before, beforeEach, describe, it } from "node:test";
import { KeyType } from "../../../src/plugin-sdk/index.ts";
import { deletionOf } from "../harness/kms-view.ts";
import { publicKeyOf, signMessage, verifies } from "../harness/signing.ts";
import { useStage } from "../harness/stage.ts";
import { expectStatus } from "../harness/status.ts";
import type { TestPlugin } from "../harness/test-plugin.ts";

const keyId = "x509-CA-A";
const message = Buffer.from("message");
const dayMs = 86_400_000;

describe("rotation", () => {
  const stage = useStage();
  let plugin: TestPlugin;
  let serverId = "";
  let count = 0;

  before(async () => {
    plugin = await stage.start();
  });

  // Each test is a server of its own.
  beforeEach(async () => {
    count += 1;
    serverId = `server-${count}`;
    await plugin.configure({ key_identifier_value: serverId });
  });

  const alias = () => `alias/SPIRE_SERVER/example_org/${serverId}/${keyId}`;
  const behind = () => stage.kms.keyBehind(serverId, keyId);

  async function assertSignsWith(fingerprint: string, by = plugin): Promise<void> {
    const { signature, keyFingerprint } = await signMessage(by, keyId, message, "sha256");
    assert.equal(keyFingerprint, fingerprint);
    const { publicKey } = await by.keyManager.getPublicKey({ keyId });
    assert.ok(publicKey);
    assert.equal(publicKey.fingerprint, fingerprint);
    assert.ok(verifies(publicKeyOf(publicKey), message, "sha256", signature));
  }

  for (const days of [undefined, 7, 30]) {
    it(`moves the alias and schedules the old key, waiting period ${days ?? "not configured: 7"} days`, async () => {
      await plugin.configure({ key_identifier_value: serverId, pending_window_in_days: days });
      await plugin.generate(keyId);
      const old = await behind();
      const scheduled = stage.kms.done("ScheduleKeyDeletion");
      const made = await plugin.generate(keyId);
      await assertSignsWith(made.fingerprint);
      assert.deepEqual(deletionOf(await scheduled), { keyId: old.keyId, days: days ?? 7 });
      const { state, deletionDate, aliases } = await stage.kms.key(old.arn);
      assert.equal(state, "PendingDeletion");
      assert.deepEqual(aliases, []);
      const waitMs = (deletionDate?.getTime() ?? 0) - stage.emulator.control.now().getTime();
      assert.ok(Math.abs(waitMs - (days ?? 7) * dayMs) < 3_600_000);
      assert.equal((await behind()).fingerprint, made.fingerprint);
    });
  }

  it("a reconfiguration between CreateKey and the deletion changes neither the key nor its waiting period", async () => {
    await plugin.generate(keyId);
    const old = await behind();
    const held = stage.kms.pause({ operation: "ScheduleKeyDeletion", when: "before" });
    await plugin.generate(keyId);
    await held.reached;
    await plugin.configure({ key_identifier_value: "elsewhere", pending_window_in_days: 30 });
    const scheduled = stage.kms.done("ScheduleKeyDeletion");
    held.release();
    assert.deepEqual(deletionOf(await scheduled), { keyId: old.keyId, days: 7 });
  });

  it("the alias was deleted behind our back: it is made anew", async () => {
    await plugin.generate(keyId);
    await stage.kms.call("DeleteAlias", { AliasName: alias() });
    const made = await plugin.generate(keyId);
    assert.equal((await behind()).fingerprint, made.fingerprint);
    await assertSignsWith(made.fingerprint);
  });

  for (const [title, Description, state] of [
    ["a key of this trust domain goes like one that was known", "SPIRE_SERVER/example.org", "PendingDeletion"],
    ["a foreign key is left alone", "of another program", "Enabled"],
  ] as const) {
    it(`an alias on an older key was made behind our back: it is moved to the new key, and ${title}`, async () => {
      const other = await stage.kms.call<{ KeyMetadata: { KeyId: string } }>("CreateKey", {
        KeySpec: "ECC_NIST_P256",
        KeyUsage: "SIGN_VERIFY",
        Description,
      });
      const { KeyId } = other.KeyMetadata;
      stage.emulator.control.advance(3_600_000);
      await stage.kms.call("CreateAlias", { AliasName: alias(), TargetKeyId: KeyId });
      const isGoing = state === "PendingDeletion";
      const scheduled = stage.kms.done(
        "ScheduleKeyDeletion",
        (input) => JSON.stringify(input).includes(KeyId) === isGoing,
      );
      let made = await plugin.generate(keyId);
      // Where nothing is to happen, the deletion of the next rotation shows that it has not.
      if (!isGoing) made = await plugin.generate(keyId);
      await scheduled;
      assert.equal((await behind()).fingerprint, made.fingerprint);
      assert.equal((await stage.kms.key(KeyId)).state, state);
      await assertSignsWith(made.fingerprint);
    });
  }

  it("two replicas with one identity that start together make one key between them", async () => {
    const replica = await stage.start();
    await replica.configure({ key_identifier_value: serverId });
    const known = new Set((await stage.kms.keys()).map(({ arn }) => arn));
    const scheduled = stage.kms.done("ScheduleKeyDeletion");
    const made = await Promise.all([plugin.generate(keyId), replica.generate(keyId)]);
    await scheduled;
    const { fingerprint } = await behind();
    assert.deepEqual(
      made.map((key) => key.fingerprint),
      [fingerprint, fingerprint],
    );
    const states = (await stage.kms.keys()).filter(({ arn }) => !known.has(arn)).map(({ state }) => state);
    assert.deepEqual(states.sort(), ["Enabled", "PendingDeletion"]);
    await assertSignsWith(fingerprint);
    await assertSignsWith(fingerprint, replica);
    await replica.stop();
  });

  it("a replica has rotated: our signatures carry the fingerprint of the key they come from, then follow", async () => {
    const ours = await plugin.generate(keyId);
    const replica = await stage.start();
    await replica.configure({ key_identifier_value: serverId });
    const held = stage.kms.pause({ operation: "ScheduleKeyDeletion", when: "before" });
    const theirs = await replica.generate(keyId);
    await held.reached;
    await assertSignsWith(ours.fingerprint);
    const scheduled = stage.kms.done("ScheduleKeyDeletion");
    held.release();
    await scheduled;
    // Our key is pending deletion now, and cannot sign any more.
    const { signature, keyFingerprint } = await signMessage(plugin, keyId, message, "sha256");
    assert.equal(keyFingerprint, theirs.fingerprint);
    assert.ok(verifies(publicKeyOf(theirs), message, "sha256", signature));
    await assertSignsWith(theirs.fingerprint);
    await replica.stop();
  });

  it("a replica's refresh moved the alias back to the old key: it is put right before the old key goes", async () => {
    await plugin.generate(keyId);
    const old = await behind();
    const held = stage.kms.pause({ operation: "DescribeKey", when: "before" });
    const made = await plugin.generate(keyId);
    await held.reached;
    await stage.kms.call("UpdateAlias", { AliasName: alias(), TargetKeyId: old.arn });
    const scheduled = stage.kms.done("ScheduleKeyDeletion");
    held.release();
    await scheduled;
    assert.equal((await behind()).fingerprint, made.fingerprint);
    assert.equal((await stage.kms.key(old.arn)).state, "PendingDeletion");
  });

  it("the key type may change with a rotation", async () => {
    await plugin.generate(keyId, KeyType.EC_P256);
    const rsa = await plugin.generate(keyId, KeyType.RSA_2048);
    await assertSignsWith(rsa.fingerprint);
    const ec = await plugin.generate(keyId, KeyType.EC_P384);
    await assertSignsWith(ec.fingerprint);
    await plugin.configure({ key_identifier_value: serverId });
    const { publicKey } = await plugin.keyManager.getPublicKey({ keyId });
    assert.equal(publicKey?.type, KeyType.EC_P384);
  });

  it("a run-away server is stopped: RESOURCE_EXHAUSTED names the setting, and no key is made", async () => {
    const fresh = await stage.start();
    await fresh.configure({ key_identifier_value: serverId, max_keys_created_per_hour: 2 });
    await fresh.generate(keyId);
    const { fingerprint } = await fresh.generate(keyId);
    stage.kms.forgetCalls();
    await expectStatus(fresh.generate(keyId), "RESOURCE_EXHAUSTED", /max_keys_created_per_hour/, /2 keys/);
    await expectStatus(fresh.generate("another"), "RESOURCE_EXHAUSTED", /max_keys_created_per_hour/);
    assert.deepEqual(stage.kms.calls("CreateKey"), []);
    await assertSignsWith(fingerprint, fresh);
    // Raised by a reload of the configuration, as the message advises.
    await fresh.configure({ key_identifier_value: serverId, max_keys_created_per_hour: 3 });
    await fresh.generate(keyId);
    await fresh.stop();
  });

  it("Deinit waits for a deletion under way", async () => {
    const leaving = await stage.start();
    await leaving.configure({ key_identifier_value: serverId });
    await leaving.generate(keyId);
    const old = await behind();
    stage.kms.fault({ kind: "delay", ms: 300, operation: "ScheduleKeyDeletion", times: 1 });
    await leaving.generate(keyId);
    await leaving.stop();
    assert.equal((await stage.kms.key(old.arn)).state, "PendingDeletion");
  });
});
