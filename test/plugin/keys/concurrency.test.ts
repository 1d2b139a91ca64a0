import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { KeyType, type PublicKey } from "../../../src/plugin-sdk/index.ts";
import { publicKeyOf, signMessage, verifies } from "../harness/signing.ts";
import { useStage } from "../harness/stage.ts";
import type { TestPlugin } from "../harness/test-plugin.ts";

const keyIds = ["x509-CA-A", "x509-CA-B", "JWT-Signer-A", "JWT-Signer-B"] as const;
const keyTypes = [KeyType.EC_P256, KeyType.EC_P384, KeyType.RSA_2048, KeyType.EC_P256] as const;
const signatures = 200;

describe("signing while keys are made", () => {
  const stage = useStage();
  /** Every key there ever was, by fingerprint. */
  const made = new Map<string, PublicKey>();
  let plugin: TestPlugin;

  async function generate(index: number): Promise<PublicKey> {
    const slot = index % keyIds.length;
    const key = await plugin.generate(keyIds[slot] ?? "", keyTypes[slot]);
    made.set(key.fingerprint, key);
    return key;
  }

  /** Signs a message of its own and verifies it under the fingerprint that came with the signature. */
  async function signAndVerify(index: number): Promise<string> {
    const message = Buffer.from(`message ${index}`);
    const keyId = keyIds[index % keyIds.length] ?? "";
    const { signature, keyFingerprint } = await signMessage(plugin, keyId, message, "sha256");
    return verifyLater(message, keyId, signature, keyFingerprint);
  }

  const verifications: (() => void)[] = [];

  /** The key may still be on its way to us, so its signature is verified once all keys are here. */
  function verifyLater(message: Uint8Array, keyId: string, signature: Uint8Array, fingerprint: string): string {
    verifications.push(() => {
      const key = made.get(fingerprint);
      assert.ok(key, `${fingerprint} is a fingerprint that GenerateKey returned`);
      assert.equal(key.id, keyId);
      assert.ok(verifies(publicKeyOf(key), message, "sha256", signature), `${keyId}: ${fingerprint}`);
    });
    return fingerprint;
  }

  before(async () => {
    plugin = await stage.start();
    await plugin.configure();
    for (const index of keyIds.keys()) await generate(index);
  });

  it(`${signatures} signatures on 4 keys while 8 generations run verify, each under the fingerprint it came with`, async () => {
    const generations = Array.from({ length: 8 }, (_, index) => generate(index));
    const signed = Array.from({ length: signatures }, (_, index) => signAndVerify(index));
    const fingerprints = await Promise.all(signed);
    const newest = await Promise.all(generations);
    // The last generations of each id win, in order of arrival.
    const current = await plugin.fingerprints();
    for (const key of newest.slice(4)) assert.equal(current.get(key.id), key.fingerprint, key.id);
    const afterwards = await Promise.all(keyIds.map((_, index) => signAndVerify(index)));
    assert.deepEqual(
      afterwards,
      keyIds.map((keyId) => current.get(keyId)),
    );
    assert.equal(fingerprints.length, signatures);
    assert.equal(verifications.length, signatures + keyIds.length);
    for (const verify of verifications.splice(0)) verify();
  });

  it("no signature waits for a generation: CreateKey is held back while signatures with every key come back", async () => {
    const held = keyIds.map(() => stage.kms.pause({ operation: "CreateKey", when: "before" }));
    const before = await plugin.fingerprints();
    const generations = keyIds.map((_, index) => generate(index));
    await Promise.all(held.map(({ reached }) => reached));
    const signed = await Promise.all(Array.from({ length: 40 }, (_, index) => signAndVerify(index)));
    for (const [index, fingerprint] of signed.entries()) {
      assert.equal(
        fingerprint,
        before.get(keyIds[index % keyIds.length] ?? ""),
        "the old key signs until the new one stands",
      );
    }
    const created = stage.kms.calls("CreateKey").filter(({ outcome }) => outcome === "pending");
    assert.equal(created.length, keyIds.length, "all generations were still held when the last signature came back");
    for (const pause of held) pause.release();
    const replaced = await Promise.all(generations);
    const after = await plugin.fingerprints();
    for (const { id, fingerprint } of replaced) assert.equal(after.get(id), fingerprint);
    for (const verify of verifications.splice(0)) verify();
  });

  it("a generation does not wait for a generation of another id, and waits for one of its own", async () => {
    const held = stage.kms.pause({ operation: "CreateKey", when: "before" });
    stage.kms.forgetCalls();
    const first = generate(0);
    await held.reached;
    const second = generate(0);
    const other = await generate(1);
    assert.equal((await plugin.fingerprints()).get(other.id), other.fingerprint);
    assert.equal(stage.kms.calls("CreateKey").length, 2, "the second generation of the held id has not asked KMS yet");
    held.release();
    const [one, two] = await Promise.all([first, second]);
    assert.notEqual(one.fingerprint, two.fingerprint);
    assert.equal((await plugin.fingerprints()).get(two.id), two.fingerprint);
    assert.equal(stage.kms.calls("CreateKey").length, 3);
  });

  it("no signature waits for Configure either", async () => {
    const held = stage.kms.pause({ operation: "ListAliases", when: "before" });
    const configured = plugin.configure({ key_tags: { Reconfigured: "yes" } });
    await held.reached;
    const before = await plugin.fingerprints();
    const signed = await Promise.all(keyIds.map((_, index) => signAndVerify(index)));
    assert.deepEqual(
      signed,
      keyIds.map((keyId) => before.get(keyId)),
    );
    held.release();
    await configured;
    assert.deepEqual(await plugin.fingerprints(), before);
    for (const verify of verifications.splice(0)) verify();
  });
});
