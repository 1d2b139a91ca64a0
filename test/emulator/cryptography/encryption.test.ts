/** Encrypt, Decrypt, ReEncrypt and data keys: what comes back, and what AWS answers to the wrong key, Region or context. */
import assert from "node:assert/strict";
import { createHash, createPublicKey, publicEncrypt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { manualClock } from "../../../src/kms-emulator/index.ts";
import { startTestEmulator } from "../../fixtures/test-emulator.ts";
import { bytes, callOf, makeKey, present, refuses, startCalls, textOf } from "../call.ts";

const context = { tenant: "a", purpose: "test" };
const inaccessible =
  "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.";
const rsa = { KeySpec: "RSA_2048", KeyUsage: "ENCRYPT_DECRYPT" } as const;

describe("a ciphertext of a symmetric key", () => {
  it("names its key by itself, and comes back with the key's ARN and material", async () => {
    const { call } = startCalls();
    const key = await makeKey(call);
    const sealed = await call("Encrypt", { KeyId: key.KeyId, Plaintext: bytes("secret"), EncryptionContext: context });
    assert.deepEqual([sealed.KeyId, sealed.EncryptionAlgorithm], [key.Arn, "SYMMETRIC_DEFAULT"]);
    const { CiphertextBlob } = sealed;
    const opened = await call("Decrypt", { CiphertextBlob, EncryptionContext: { purpose: "test", tenant: "a" } });
    assert.equal(textOf(opened.Plaintext), "secret");
    const { KeyMetadata } = await call("DescribeKey", { KeyId: key.KeyId });
    assert.deepEqual([opened.KeyId, opened.KeyMaterialId], [key.Arn, KeyMetadata?.CurrentKeyMaterialId]);
  });

  it("is opaque, and another each time", async () => {
    const { call } = startCalls();
    const { KeyId } = await makeKey(call);
    const seal = async () =>
      Buffer.from(
        present(
          (await call("Encrypt", { KeyId, Plaintext: bytes("plain"), EncryptionContext: context })).CiphertextBlob,
        ),
      );
    const [first, second] = [await seal(), await seal()];
    assert.notDeepEqual(first, second);
    for (const part of ["plain", KeyId, KeyId.replaceAll("-", ""), "tenant"]) assert.ok(!first.includes(part), part);
  });

  it("does not open with another context, without one, or when any bit has changed", async () => {
    const { call } = startCalls();
    const { KeyId } = await makeKey(call);
    const sealed = await call("Encrypt", { KeyId, Plaintext: bytes("s"), EncryptionContext: context });
    const CiphertextBlob = present(sealed.CiphertextBlob);
    for (const EncryptionContext of [
      undefined,
      {},
      { tenant: "a" },
      { ...context, more: "" },
      { ...context, tenant: "b" },
    ]) {
      await refuses(call("Decrypt", { CiphertextBlob, EncryptionContext }), "InvalidCiphertextException", "");
    }
    for (let at = 0; at < CiphertextBlob.length; at += 1) {
      const changed = Buffer.from(CiphertextBlob);
      changed[at] = (changed[at] ?? 0) ^ 0x10;
      const input = { CiphertextBlob: changed, EncryptionContext: context };
      await refuses(call("Decrypt", input), "InvalidCiphertextException", "");
    }
    for (const length of [1, 5, 40, CiphertextBlob.length - 1]) {
      const input = { CiphertextBlob: CiphertextBlob.subarray(0, length), EncryptionContext: context };
      await refuses(call("Decrypt", input), "InvalidCiphertextException");
    }
  });

  it("tells contexts apart that differ only in where a name ends", async () => {
    const { call } = startCalls();
    const { KeyId } = await makeKey(call);
    const { CiphertextBlob } = await call("Encrypt", { KeyId, Plaintext: bytes("s"), EncryptionContext: { ab: "c" } });
    await refuses(call("Decrypt", { CiphertextBlob, EncryptionContext: { a: "bc" } }), "InvalidCiphertextException");
  });

  it("of another key than the named one is IncorrectKeyException, and none of another Region's", async () => {
    const { call } = startCalls();
    const [key, other] = [await makeKey(call), await makeKey(call)];
    const there = { region: "eu-west-1" };
    const foreign = await makeKey(call, {}, there);
    const { CiphertextBlob } = await call("Encrypt", { KeyId: key.KeyId, Plaintext: bytes("s") });
    const wrong = "The key ID in the request does not identify a CMK that can perform this operation.";
    await refuses(call("Decrypt", { CiphertextBlob, KeyId: other.KeyId }), "IncorrectKeyException", wrong);
    await refuses(call("Decrypt", { CiphertextBlob }, there), "AccessDeniedException", inaccessible);
    await refuses(call("Decrypt", { CiphertextBlob, KeyId: foreign.KeyId }, there), "IncorrectKeyException", wrong);
    await refuses(call("Decrypt", { CiphertextBlob, KeyId: "fake" }), "NotFoundException", "Invalid keyId 'fake'");
  });

  it("is lost with its key", async () => {
    const { call, control } = startCalls();
    const { KeyId } = await makeKey(call);
    const { CiphertextBlob } = await call("Encrypt", { KeyId, Plaintext: bytes("s") });
    await call("ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    await refuses(call("Decrypt", { CiphertextBlob }), "KMSInvalidStateException", /is pending deletion\.$/);
    control.advance(8 * 86_400_000);
    await refuses(call("Decrypt", { CiphertextBlob }), "AccessDeniedException", inaccessible);
  });

  it("opens in every Region of a multi-Region key, under the ARN there", async () => {
    const { call, control } = startCalls();
    const { KeyId, Arn } = await makeKey(call, { MultiRegion: true });
    await call("ReplicateKey", { KeyId, ReplicaRegion: "eu-west-1" });
    await call("ReplicateKey", { KeyId, ReplicaRegion: "ap-south-1" });
    control.advance(2_000);
    const { CiphertextBlob } = await call("Encrypt", { KeyId, Plaintext: bytes("s") }, { region: "ap-south-1" });
    for (const region of ["us-east-1", "eu-west-1", "ap-south-1"]) {
      const opened = await call("Decrypt", { CiphertextBlob }, { region });
      assert.deepEqual([textOf(opened.Plaintext), opened.KeyId], ["s", Arn.replace("us-east-1", region)]);
    }
  });

  it("survives a restart and kill -9 with the data file", async () => {
    const folder = mkdtempSync(join(tmpdir(), "kms-ciphertext-"));
    const options = { clock: manualClock(), dataFile: join(folder, "data") };
    try {
      const first = await startTestEmulator(options);
      const { KeyId } = await makeKey(callOf(first.control));
      const { CiphertextBlob } = await callOf(first.control)("Encrypt", { KeyId, Plaintext: bytes("kept") });
      await callOf(first.control)("RotateKeyOnDemand", { KeyId });
      await first.close();
      const second = await startTestEmulator(options);
      const { Plaintext } = await callOf(second.control)("Decrypt", { CiphertextBlob });
      assert.equal(textOf(Plaintext), "kept");
      await second.close();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe("RSA encryption", () => {
  for (const [EncryptionAlgorithm, oaepHash] of [
    ["RSAES_OAEP_SHA_1", "sha1"],
    ["RSAES_OAEP_SHA_256", "sha256"],
  ] as const) {
    it(`${EncryptionAlgorithm}: what a client encrypts with the public key is decrypted, and KMS's own too`, async () => {
      const { call } = startCalls();
      const { KeyId, Arn } = await makeKey(call, rsa);
      const { PublicKey } = await call("GetPublicKey", { KeyId });
      const key = createPublicKey({ key: Buffer.from(present(PublicKey)), format: "der", type: "spki" });
      const local = publicEncrypt({ key, padding: 4, oaepHash }, bytes("local"));
      const opened = await call("Decrypt", { CiphertextBlob: local, KeyId, EncryptionAlgorithm });
      assert.deepEqual([textOf(opened.Plaintext), opened.KeyId, opened.KeyMaterialId], ["local", Arn, undefined]);
      const { CiphertextBlob } = await call("Encrypt", { KeyId, Plaintext: bytes("kms"), EncryptionAlgorithm });
      assert.equal(present(CiphertextBlob).length, 256);
      assert.equal(textOf((await call("Decrypt", { CiphertextBlob, KeyId, EncryptionAlgorithm })).Plaintext), "kms");
    });
  }

  it("is refused with the wrong algorithm, key, context or without a key", async () => {
    const { call } = startCalls();
    const [{ KeyId }, other] = [await makeKey(call, rsa), await makeKey(call, rsa)];
    const EncryptionAlgorithm = "RSAES_OAEP_SHA_256";
    const { CiphertextBlob } = await call("Encrypt", { KeyId, Plaintext: bytes("s"), EncryptionAlgorithm });
    const open = { CiphertextBlob, EncryptionAlgorithm } as const;
    await refuses(
      call("Encrypt", { KeyId, Plaintext: bytes("s") }),
      "InvalidKeyUsageException",
      "Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048.",
    );
    await refuses(call("Decrypt", { ...open, KeyId: other.KeyId }), "InvalidCiphertextException", "");
    await refuses(
      call("Decrypt", { ...open, KeyId, EncryptionAlgorithm: "RSAES_OAEP_SHA_1" }),
      "InvalidCiphertextException",
    );
    await refuses(call("Decrypt", open), "ValidationException");
    await refuses(call("Decrypt", { ...open, KeyId, EncryptionContext: { a: "b" } }), "ValidationException");
  });

  it("is for keys that encrypt", async () => {
    const { call } = startCalls();
    const { KeyId, Arn } = await makeKey(call, { KeySpec: "RSA_2048", KeyUsage: "SIGN_VERIFY" });
    const text = (operation: string) => `${Arn} key usage is SIGN_VERIFY which is not valid for ${operation}.`;
    await refuses(call("Encrypt", { KeyId, Plaintext: bytes("s") }), "InvalidKeyUsageException", text("Encrypt"));
    const random = { KeyId, KeySpec: "AES_256" } as const;
    await refuses(call("GenerateDataKey", random), "InvalidKeyUsageException", text("GenerateDataKey"));
  });
});

describe("ReEncrypt", () => {
  it("moves a ciphertext to another key and context, between symmetric and RSA", async () => {
    const { call } = startCalls();
    const [source, target] = [await makeKey(call), await makeKey(call, rsa)];
    const { CiphertextBlob } = await call("Encrypt", {
      KeyId: source.KeyId,
      Plaintext: bytes("moved"),
      EncryptionContext: context,
    });
    const moved = await call("ReEncrypt", {
      CiphertextBlob,
      SourceEncryptionContext: context,
      DestinationKeyId: target.KeyId,
      DestinationEncryptionAlgorithm: "RSAES_OAEP_SHA_256",
    });
    assert.deepEqual(
      [moved.SourceKeyId, moved.KeyId, moved.SourceEncryptionAlgorithm, moved.DestinationEncryptionAlgorithm],
      [source.Arn, target.Arn, "SYMMETRIC_DEFAULT", "RSAES_OAEP_SHA_256"],
    );
    assert.equal(moved.DestinationKeyMaterialId, undefined);
    const back = await call("ReEncrypt", {
      CiphertextBlob: moved.CiphertextBlob,
      SourceKeyId: target.KeyId,
      SourceEncryptionAlgorithm: "RSAES_OAEP_SHA_256",
      DestinationKeyId: source.KeyId,
      DestinationEncryptionContext: { back: "again" },
    });
    const opened = await call("Decrypt", { CiphertextBlob: back.CiphertextBlob, EncryptionContext: { back: "again" } });
    assert.equal(textOf(opened.Plaintext), "moved");
    const wrong = { CiphertextBlob, DestinationKeyId: source.KeyId };
    await refuses(call("ReEncrypt", wrong), "InvalidCiphertextException", "");
  });
});

describe("data keys", () => {
  it("of a spec or of a length, in plain and under the key", async () => {
    const { call } = startCalls();
    const { KeyId, Arn } = await makeKey(call);
    const lengths = [
      [{ KeySpec: "AES_256" }, 32],
      [{ KeySpec: "AES_128" }, 16],
      [{ NumberOfBytes: 1024 }, 1024],
    ] as const;
    for (const [input, length] of lengths) {
      const made = await call("GenerateDataKey", { KeyId, ...input, EncryptionContext: context });
      const { CiphertextBlob } = made;
      const opened = await call("Decrypt", { CiphertextBlob, EncryptionContext: context });
      assert.deepEqual(Buffer.from(present(opened.Plaintext)), Buffer.from(present(made.Plaintext)));
      assert.deepEqual([present(made.Plaintext).length, made.KeyId], [length, Arn]);
      const hidden = await call("GenerateDataKeyWithoutPlaintext", { KeyId, ...input });
      assert.ok(!("Plaintext" in hidden));
      assert.equal(
        present((await call("Decrypt", { CiphertextBlob: hidden.CiphertextBlob })).Plaintext).length,
        length,
      );
    }
    const text = "Please specify either number of bytes or key spec.";
    await refuses(call("GenerateDataKey", { KeyId }), "ValidationException", text);
    await refuses(
      call("GenerateDataKey", { KeyId, KeySpec: "AES_256", NumberOfBytes: 1 }),
      "ValidationException",
      text,
    );
  });

  const specs = [
    "RSA_2048",
    "ECC_NIST_P256",
    "ECC_NIST_P384",
    "ECC_NIST_P521",
    "ECC_SECG_P256K1",
    "ECC_NIST_EDWARDS25519",
  ] as const;
  for (const KeyPairSpec of specs) {
    it(`as a pair of ${KeyPairSpec}: the halves belong together, the private one is PKCS#8`, async () => {
      const { call } = startCalls();
      const { KeyId } = await makeKey(call);
      const pair = await call("GenerateDataKeyPair", { KeyId, KeyPairSpec });
      const { createPrivateKey } = await import("node:crypto");
      const key = createPrivateKey({
        key: Buffer.from(present(pair.PrivateKeyPlaintext)),
        format: "der",
        type: "pkcs8",
      });
      const spki = createPublicKey(key).export({ type: "spki", format: "der" });
      assert.deepEqual(Buffer.from(present(pair.PublicKey)), spki);
      const opened = await call("Decrypt", { CiphertextBlob: pair.PrivateKeyCiphertextBlob });
      assert.deepEqual(Buffer.from(present(opened.Plaintext)), Buffer.from(present(pair.PrivateKeyPlaintext)));
      const hidden = await call("GenerateDataKeyPairWithoutPlaintext", { KeyId, KeyPairSpec });
      assert.ok(!("PrivateKeyPlaintext" in hidden) && hidden.KeyPairSpec === KeyPairSpec);
    });
  }

  it("random bytes are as many as asked for, and others each time", async () => {
    const { call } = startCalls();
    const seen = new Set<string>();
    for (const NumberOfBytes of [1, 32, 1024, 32]) {
      const { Plaintext } = await call("GenerateRandom", { NumberOfBytes });
      assert.equal(present(Plaintext).length, NumberOfBytes);
      seen.add(createHash("sha256").update(present(Plaintext)).digest("hex"));
    }
    assert.equal(seen.size, 4);
    const stored = { NumberOfBytes: 1, CustomKeyStoreId: "cks-1234567890abcdef0" };
    await refuses(call("GenerateRandom", stored), "CustomKeyStoreNotFoundException");
  });
});

describe("a dry run", () => {
  const text = "The request would have succeeded, but the DryRun option is set.";

  it("of a cryptographic operation says that it would succeed, and does nothing", async () => {
    const { call } = startCalls();
    const { KeyId } = await makeKey(call);
    const { CiphertextBlob } = await call("Encrypt", { KeyId, Plaintext: bytes("s") });
    const dry = { KeyId, DryRun: true } as const;
    const sent = [
      call("Encrypt", { ...dry, Plaintext: bytes("s") }),
      call("Decrypt", { ...dry, CiphertextBlob }),
      call("Decrypt", { ...dry, DryRunModifiers: ["IGNORE_CIPHERTEXT"] }),
      call("ReEncrypt", { CiphertextBlob, DestinationKeyId: KeyId, DryRun: true }),
      call("GenerateDataKey", { ...dry, KeySpec: "AES_256" }),
      call("GenerateDataKeyWithoutPlaintext", { ...dry, KeySpec: "AES_256" }),
      call("GenerateDataKeyPair", { ...dry, KeyPairSpec: "ECC_NIST_P256" }),
      call("GenerateDataKeyPairWithoutPlaintext", { ...dry, KeyPairSpec: "ECC_NIST_P256" }),
    ];
    for (const each of sent) await refuses(each, "DryRunOperationException", text);
    const last = await call("GetKeyLastUsage", { KeyId });
    assert.equal(last.KeyLastUsage?.Operation, "Encrypt");
  });

  it("that would fail says why", async () => {
    const { call } = startCalls();
    const { KeyId, Arn } = await makeKey(call);
    await call("DisableKey", { KeyId });
    const dry = { KeyId, DryRun: true, Plaintext: bytes("s") } as const;
    await refuses(call("Encrypt", dry), "DisabledException", `${Arn} is disabled.`);
    await refuses(call("Decrypt", { KeyId, DryRun: true }), "ValidationException", /null at 'ciphertextBlob'/);
  });
});
