/** MACs against node:crypto, shared secrets against a peer of node:crypto, ML-DSA and ML-KEM against their library. */
import assert from "node:assert/strict";
import { createECDH, createHash, createHmac, createPublicKey, diffieHellman, generateKeyPairSync } from "node:crypto";
import { describe, it } from "node:test";
import { ml_dsa44, ml_dsa65, ml_dsa87 } from "@noble/post-quantum/ml-dsa.js";
import { ml_kem512, ml_kem768, ml_kem1024 } from "@noble/post-quantum/ml-kem.js";
import { bytes, makeKey, present, refuses, startCalls } from "../call.ts";

describe("a MAC", () => {
  for (const bits of ["224", "256", "384", "512"] as const) {
    it(`HMAC_SHA_${bits} verifies, and no other does`, async () => {
      const { call } = startCalls();
      const MacAlgorithm = `HMAC_SHA_${bits}` as const;
      const { KeyId, Arn } = await makeKey(call, { KeySpec: `HMAC_${bits}`, KeyUsage: "GENERATE_VERIFY_MAC" });
      const Message = bytes("message");
      const { Mac } = await call("GenerateMac", { KeyId, Message, MacAlgorithm });
      assert.equal(present(Mac).length * 8, Number(bits));
      const good = { KeyId, Message, MacAlgorithm, Mac: present(Mac) };
      assert.deepEqual(await call("VerifyMac", good), { KeyId: Arn, MacValid: true, MacAlgorithm });
      await refuses(call("VerifyMac", { ...good, Message: bytes("other") }), "KMSInvalidMacException", "");
      await refuses(call("VerifyMac", { ...good, Mac: good.Mac.subarray(1) }), "KMSInvalidMacException", "");
      await refuses(call("GenerateMac", { KeyId, Message, MacAlgorithm, DryRun: true }), "DryRunOperationException");
    });
  }

  it("with imported material is the HMAC that anyone computes with it", async () => {
    const { call, control } = startCalls();
    const { importMaterial } = await import("../operations/import-material.ts");
    const usage = { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC", Origin: "EXTERNAL" } as const;
    const { KeyId } = await makeKey(call, usage);
    const secret = bytes("0123456789abcdef0123456789abcdef");
    await importMaterial(control, KeyId, secret);
    const { Mac } = await call("GenerateMac", { KeyId, Message: bytes("m"), MacAlgorithm: "HMAC_SHA_256" });
    assert.deepEqual(Buffer.from(present(Mac)), createHmac("sha256", secret).update("m").digest());
  });
});

describe("DeriveSharedSecret", () => {
  for (const [KeySpec, namedCurve] of [
    ["ECC_NIST_P256", "P-256"],
    ["ECC_NIST_P384", "P-384"],
    ["ECC_NIST_P521", "P-521"],
  ] as const) {
    it(`on ${KeySpec} gives both sides the same secret`, async () => {
      const { call } = startCalls();
      const { KeyId, Arn } = await makeKey(call, { KeySpec, KeyUsage: "KEY_AGREEMENT" });
      const peer = generateKeyPairSync("ec", { namedCurve });
      const PublicKey = peer.publicKey.export({ type: "spki", format: "der" });
      const derived = await call("DeriveSharedSecret", { KeyId, KeyAgreementAlgorithm: "ECDH", PublicKey });
      const ours = present((await call("GetPublicKey", { KeyId })).PublicKey);
      const publicKey = createPublicKey({ key: Buffer.from(ours), format: "der", type: "spki" });
      const theirs = diffieHellman({ privateKey: peer.privateKey, publicKey });
      assert.deepEqual(Buffer.from(present(derived.SharedSecret)), theirs);
      assert.deepEqual([derived.KeyId, derived.KeyOrigin], [Arn, "AWS_KMS"]);
    });
  }

  it("refuses points of another curve, points off the curve and what is no key", async () => {
    const { call } = startCalls();
    const { KeyId } = await makeKey(call, { KeySpec: "ECC_NIST_P256", KeyUsage: "KEY_AGREEMENT" });
    const other = generateKeyPairSync("ec", { namedCurve: "P-384" }).publicKey.export({ type: "spki", format: "der" });
    const good = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ type: "spki", format: "der" });
    const off = Buffer.from(good);
    off[off.length - 1] = (off[off.length - 1] ?? 0) ^ 1;
    const ecdh = createECDH("prime256v1");
    ecdh.generateKeys();
    for (const PublicKey of [other, off, ecdh.getPublicKey(), bytes("no key")]) {
      const input = { KeyId, KeyAgreementAlgorithm: "ECDH", PublicKey } as const;
      await refuses(call("DeriveSharedSecret", input), "ValidationException", "");
    }
  });
});

const mlDsa = [
  ["ML_DSA_44", ml_dsa44, 1334, 2420],
  ["ML_DSA_65", ml_dsa65, 1974, 3309],
  ["ML_DSA_87", ml_dsa87, 2614, 4627],
] as const;

describe("ML-DSA", () => {
  for (const [KeySpec, scheme, spkiBytes, signatureBytes] of mlDsa) {
    it(`${KeySpec}: RAW and EXTERNAL_MU give signatures of the same message, that the library verifies`, async () => {
      const { call } = startCalls();
      const { KeyId, Arn } = await makeKey(call, { KeySpec, KeyUsage: "SIGN_VERIFY" });
      const { PublicKey, SigningAlgorithms } = await call("GetPublicKey", { KeyId });
      assert.deepEqual([present(PublicKey).length, SigningAlgorithms], [spkiBytes, ["ML_DSA_SHAKE_256"]]);
      const raw = present(PublicKey).subarray(spkiBytes - present(scheme.lengths.publicKey));
      const SigningAlgorithm = "ML_DSA_SHAKE_256" as const;
      const Message = bytes("a message");
      const shake = (...parts: readonly Uint8Array[]) =>
        createHash("shake256", { outputLength: 64 }).update(Buffer.concat(parts)).digest();
      const mu = shake(shake(raw), Buffer.from([0, 0]), Message);
      const forms = [
        { Message, MessageType: "RAW" },
        { Message: mu, MessageType: "EXTERNAL_MU" },
      ] as const;
      for (const form of forms) {
        const signed = await call("Sign", { KeyId, SigningAlgorithm, ...form });
        const Signature = present(signed.Signature);
        assert.equal(Signature.length, signatureBytes);
        assert.ok(scheme.verify(Signature, Message, raw));
        for (const other of forms) {
          const verified = await call("Verify", { KeyId, SigningAlgorithm, Signature, ...other });
          assert.deepEqual([verified.SignatureValid, verified.KeyId], [true, Arn]);
        }
        const wrong = { KeyId, SigningAlgorithm, Signature, Message: bytes("other") };
        await refuses(call("Verify", wrong), "KMSInvalidSignatureException", "");
      }
      const digest = { KeyId, SigningAlgorithm, Message: mu, MessageType: "DIGEST" } as const;
      const text = `Message type DIGEST is incompatible with key spec ${KeySpec}.`;
      await refuses(call("Sign", digest), "ValidationException", text);
      await refuses(call("Sign", { ...digest, MessageType: "EXTERNAL_MU", Message }), "ValidationException");
    });
  }
});

const mlKem = [
  ["ML_KEM_512", ml_kem512],
  ["ML_KEM_768", ml_kem768],
  ["ML_KEM_1024", ml_kem1024],
] as const;

describe("ML-KEM", () => {
  for (const [KeySpec, scheme] of mlKem) {
    it(`${KeySpec}: what is encapsulated here or with the public key is decapsulated`, async () => {
      const { call } = startCalls();
      const { KeyId } = await makeKey(call, { KeySpec, KeyUsage: "ENCAPSULATE_DECAPSULATE" });
      const EncapsulationAlgorithm = "ML_KEM" as const;
      const made = await call("Encapsulate", { KeyId, EncapsulationAlgorithm });
      const open = async (SharedSecretCiphertextBlob: Uint8Array) =>
        (await call("Decapsulate", { KeyId, EncapsulationAlgorithm, SharedSecretCiphertextBlob })).SharedSecret;
      assert.deepEqual(await open(present(made.SharedSecretCiphertextBlob)), made.SharedSecret);
      const spki = present((await call("GetPublicKey", { KeyId })).PublicKey);
      const raw = spki.subarray(spki.length - present(scheme.lengths.publicKey));
      const theirs = scheme.encapsulate(raw);
      assert.deepEqual(await open(theirs.cipherText), theirs.sharedSecret);
      await refuses(open(bytes("short")), "InvalidCiphertextException");
    });
  }
});
