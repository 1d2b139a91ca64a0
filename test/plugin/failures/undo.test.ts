import assert from "node:assert/strict";
import { before, beforeEach, describe, it } from "node:test";
import { KeyType, type StatusCode } from "../../../src/plugin-sdk/index.ts";
import { deletionOf } from "../harness/kms-view.ts";
import { signMessage } from "../harness/signing.ts";
import { useStage } from "../harness/stage.ts";
import { expectStatus } from "../harness/status.ts";
import type { TestPlugin } from "../harness/test-plugin.ts";

const keyId = "x509-CA-A";

describe("a GenerateKey that does not come to its end leaves no key behind", () => {
  const stage = useStage();
  let plugin: TestPlugin;
  let fingerprint = "";
  let serverId = "";
  let count = 0;
  let known: ReadonlySet<string> = new Set();

  before(async () => {
    plugin = await stage.start();
  });

  // Each test is a server of its own, with a key.
  beforeEach(async () => {
    stage.kms.clearFaults();
    count += 1;
    serverId = `server-${count}`;
    await plugin.configure({ key_identifier_value: serverId });
    ({ fingerprint } = await plugin.generate(keyId));
    known = new Set((await stage.kms.keys()).map(({ arn }) => arn));
    stage.kms.forgetCalls();
  });

  /** The keys made since the test began, as [state, number of aliases]. */
  async function made(): Promise<readonly (readonly [string, number])[]> {
    const keys = (await stage.kms.keys()).filter(({ arn }) => !known.has(arn));
    return keys.map(({ state, aliases }) => [state, aliases.length] as const);
  }

  async function assertOldKeyInUse(): Promise<void> {
    assert.equal((await stage.kms.keyBehind(serverId, keyId)).fingerprint, fingerprint);
    assert.equal((await plugin.fingerprints()).get(keyId), fingerprint);
    assert.equal((await signMessage(plugin, keyId, Buffer.from("m"), "sha256")).keyFingerprint, fingerprint);
  }

  it("a key id whose alias would be too long is refused before any key is made", async () => {
    const room = 256 - `alias/SPIRE_SERVER/example_org/${serverId}/`.length;
    const words = [/alias of 257 characters, KMS allows 256/, /shorter key id or key_identifier_value/];
    await expectStatus(plugin.generate("k".repeat(room + 1)), "INVALID_ARGUMENT", ...words);
    await expectStatus(plugin.generate(`${"k".repeat(room - 2)}.`), "INVALID_ARGUMENT", ...words);
    assert.deepEqual(stage.kms.calls(), []);
    await plugin.generate("k".repeat(room));
    assert.deepEqual(await made(), [["Enabled", 1]]);
  });

  const failures: readonly (readonly [operation: string, name: string, code: StatusCode, word: RegExp])[] = [
    ["GetPublicKey", "KMSInvalidStateException", "FAILED_PRECONDITION", /failed to get public key/],
    ["GetPublicKey", "DisabledException", "FAILED_PRECONDITION", /enable the key again/],
    ["GetPublicKey", "KMSInternalException", "UNAVAILABLE", /failed to get public key/],
    ["UpdateAlias", "LimitExceededException", "RESOURCE_EXHAUSTED", /resource quota/],
    ["UpdateAlias", "KMSInvalidStateException", "FAILED_PRECONDITION", /failed to update alias alias\/SPIRE_SERVER/],
    ["CreateAlias", "LimitExceededException", "RESOURCE_EXHAUSTED", /failed to create alias alias\/SPIRE_SERVER/],
    ["CreateAlias", "InvalidAliasNameException", "FAILED_PRECONDITION", /InvalidAliasNameException/],
  ];

  for (const [operation, name, code, word] of failures) {
    it(`${operation} answers ${name}: ${code}, and the new key is scheduled for deletion`, async () => {
      const scheduled = stage.kms.done("ScheduleKeyDeletion");
      stage.kms.fault({ kind: "error", name, message: "no", operation });
      await expectStatus(plugin.generate(operation === "CreateAlias" ? "new" : keyId), code, word);
      await scheduled;
      assert.deepEqual(await made(), [["PendingDeletion", 0]]);
      await assertOldKeyInUse();
    });
  }

  const noKey: readonly (readonly [name: string, code: StatusCode, word: RegExp])[] = [
    ["MalformedPolicyDocumentException", "FAILED_PRECONDITION", /set key_policy_file/],
    ["TagException", "FAILED_PRECONDITION", /TagException/],
    ["LimitExceededException", "RESOURCE_EXHAUSTED", /resource quota/],
    ["UnsupportedOperationException", "FAILED_PRECONDITION", /UnsupportedOperationException/],
  ];

  for (const [name, code, word] of noKey) {
    it(`CreateKey answers ${name}: ${code}, and it is not asked again`, async () => {
      const fault = stage.kms.fault({ kind: "error", name, message: "no", operation: "CreateKey" });
      await expectStatus(plugin.generate(keyId), code, /failed to create key/, word);
      assert.equal(fault.hits, 1);
      assert.deepEqual(await made(), []);
      await assertOldKeyInUse();
    });
  }

  it("CreateKey is throttled at first: it is asked again, since KMS has refused it", async () => {
    const fault = stage.kms.fault({ kind: "error", name: "ThrottlingException", operation: "CreateKey", times: 2 });
    await plugin.generate(keyId);
    assert.equal(fault.hits, 2);
    assert.equal((await made()).length, 1);
  });

  /** Long enough for a busy machine to get to the call that is held. */
  const deadlineMs = 1_500;

  type GivenUp = readonly [code: "CANCELLED" | "DEADLINE_EXCEEDED", when: "before" | "after", operation: string];

  const undone: readonly GivenUp[] = [
    ["CANCELLED", "before", "CreateKey"],
    ["CANCELLED", "after", "CreateKey"],
    ["CANCELLED", "before", "GetPublicKey"],
    ["CANCELLED", "after", "GetPublicKey"],
    ["DEADLINE_EXCEEDED", "before", "CreateKey"],
    ["DEADLINE_EXCEEDED", "after", "GetPublicKey"],
  ];

  /** Starts a GenerateKey, waits until KMS holds the call, and gives it up; the plugin has heard of it then. */
  async function giveUpAt([code, when, operation]: GivenUp): Promise<() => void> {
    const held = stage.kms.pause({ operation, when });
    const abort = new AbortController();
    const options = code === "CANCELLED" ? { signal: abort.signal } : { timeoutMs: deadlineMs };
    const id = operation === "CreateAlias" ? "new" : keyId;
    const generated = plugin.keyManager.generateKey({ keyId: id, keyType: KeyType.EC_P256 }, options);
    await held.reached;
    abort.abort();
    await expectStatus(generated, code);
    await plugin.host.ping();
    return held.release;
  }

  for (const givenUp of undone) {
    it(`${givenUp.join(" ")} takes effect: the new key is scheduled for deletion`, async () => {
      const scheduled = stage.kms.done("ScheduleKeyDeletion");
      const release = await giveUpAt(givenUp);
      release();
      await scheduled;
      assert.deepEqual(await made(), [["PendingDeletion", 0]]);
      await assertOldKeyInUse();
      await plugin.generate(keyId);
    });
  }

  for (const code of ["CANCELLED", "DEADLINE_EXCEEDED"] as const) {
    it(`${code} at UpdateAlias: the rotation is carried through`, async () => {
      const scheduled = stage.kms.done("ScheduleKeyDeletion");
      const release = await giveUpAt([code, "before", "UpdateAlias"]);
      release();
      const deletion = deletionOf(await scheduled);
      const { keyId: inUse, fingerprint: next } = await stage.kms.keyBehind(serverId, keyId);
      assert.notEqual(next, fingerprint);
      assert.notEqual(deletion.keyId, inUse);
      assert.deepEqual(await made(), [["Enabled", 1]]);
      assert.equal((await signMessage(plugin, keyId, Buffer.from("m"), "sha256")).keyFingerprint, next);
    });
  }

  it("CANCELLED at CreateAlias: the key is there when SPIRE asks again", async () => {
    const release = await giveUpAt(["CANCELLED", "before", "CreateAlias"]);
    release();
    // The next call of this id comes after the one that was given up, and gets the key that no caller has seen.
    const next = await plugin.generate("new");
    assert.equal((await stage.kms.keyBehind(serverId, "new")).fingerprint, next.fingerprint);
    assert.deepEqual(await made(), [["Enabled", 1]]);
    assert.equal((await signMessage(plugin, "new", Buffer.from("m"), "sha256")).keyFingerprint, next.fingerprint);
  });

  it("a deletion that KMS throttles is tried until it succeeds", async () => {
    const old = await stage.kms.keyBehind(serverId, keyId);
    const name = "ThrottlingException";
    const fault = stage.kms.fault({ kind: "error", name, operation: "ScheduleKeyDeletion", times: 4 });
    const scheduled = stage.kms.done("ScheduleKeyDeletion");
    await plugin.generate(keyId);
    await scheduled;
    assert.equal(fault.hits, 4);
    assert.equal((await stage.kms.key(old.arn)).state, "PendingDeletion");
    assert.equal(stage.kms.calls("ScheduleKeyDeletion").length, 5);
  });

  const lags: readonly (readonly [operation: string, name: string, message: string, times: number])[] = [
    ["GetPublicKey", "NotFoundException", "Key 'arn:aws:kms:x' does not exist", 3],
    ["GetPublicKey", "KMSInvalidStateException", "arn:aws:kms:x is creating.", 2],
    ["CreateAlias", "NotFoundException", "Key 'arn:aws:kms:x' does not exist", 3],
  ];

  for (const [operation, name, message, times] of lags) {
    it(`KMS does not show the new key yet: ${operation} answers ${name} ${times} times, then it works`, async () => {
      const fault = stage.kms.fault({ kind: "error", name, message, operation, times });
      const { fingerprint: next } = await plugin.generate(operation === "CreateAlias" ? "new" : keyId);
      assert.equal(fault.hits, times);
      assert.equal(stage.kms.calls("CreateKey").length, 1);
      assert.deepEqual(await made(), [["Enabled", 1]]);
      assert.ok([...(await plugin.fingerprints()).values()].includes(next));
    });
  }

  it("KMS shows what it has done only a while later, to every reading call", async () => {
    const operation = ["GetPublicKey", "DescribeKey"];
    const fault = stage.kms.fault({ kind: "consistency-lag", ms: 400, operation });
    const { fingerprint: next } = await plugin.generate(keyId);
    assert.ok(fault.hits > 1);
    assert.equal((await plugin.fingerprints()).get(keyId), next);
    assert.equal((await stage.kms.keyBehind(serverId, keyId)).fingerprint, next);
    assert.equal(stage.kms.calls("CreateKey").length, 1);
  });

  it("KMS never shows the new key: the call ends at SPIRE's deadline, and the key is scheduled for deletion", async () => {
    const name = "NotFoundException";
    stage.kms.fault({ kind: "error", name, message: "Key does not exist", operation: "GetPublicKey" });
    const scheduled = stage.kms.done("ScheduleKeyDeletion");
    const request = { keyId, keyType: KeyType.EC_P256 };
    await expectStatus(plugin.keyManager.generateKey(request, { timeoutMs: 800 }), "DEADLINE_EXCEEDED");
    await scheduled;
    assert.deepEqual(await made(), [["PendingDeletion", 0]]);
    await assertOldKeyInUse();
  });
});
