/** What KMS is asked to sign, for each key type and each algorithm that SPIRE asks for. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { KeyManagerError } from "../errors.ts";
import { type KeyType, keyTypes } from "../key-type.ts";
import { digestBytes, type HashAlgorithm, planSignature, type SignerOptions } from "./signing-algorithm.ts";

const digestOf = (hash: HashAlgorithm) => Uint8Array.from({ length: digestBytes[hash] }, (_, index) => index + 1);

function refusal(keyType: KeyType, options: SignerOptions, digest = digestOf(options.hashAlgorithm)): string {
  try {
    planSignature(keyType, digest, options);
  } catch (error) {
    assert.ok(error instanceof KeyManagerError);
    assert.equal(error.code, "INVALID_ARGUMENT");
    return error.message;
  }
  return "";
}

describe("signing algorithm", () => {
  const hashes = Object.keys(digestBytes) as HashAlgorithm[];

  for (const hashAlgorithm of hashes) {
    it(`signs a ${hashAlgorithm} digest with either curve, fitted to the curve's size`, () => {
      const digest = digestOf(hashAlgorithm);
      for (const [keyType, algorithm, size] of [
        ["ec-p256", "ECDSA_SHA_256", 32],
        ["ec-p384", "ECDSA_SHA_384", 48],
      ] as const) {
        const plan = planSignature(keyType, digest, { hashAlgorithm });
        assert.equal(plan.signingAlgorithm, algorithm);
        const bits = 8 * size;
        const asInteger = BigInt(`0x${Buffer.from(digest).toString("hex")}`);
        const leftmost = digest.length > size ? asInteger >> BigInt(8 * digest.length - bits) : asInteger;
        assert.equal(plan.digest.length, size);
        assert.equal(BigInt(`0x${Buffer.from(plan.digest).toString("hex")}`), leftmost);
      }
    });
  }

  const rsa = { SHA256: "SHA_256", SHA384: "SHA_384", SHA512: "SHA_512" } as const;
  for (const hashAlgorithm of hashes) {
    const suffix = hashAlgorithm in rsa ? rsa[hashAlgorithm as keyof typeof rsa] : undefined;
    it(`${suffix ? "signs" : "refuses"} RSA with ${hashAlgorithm}, PKCS#1 and PSS`, () => {
      for (const keyType of ["rsa-2048", "rsa-4096"] as const) {
        if (suffix === undefined) {
          assert.match(refusal(keyType, { hashAlgorithm }), /unsupported combination.*SHA256, SHA384 and SHA512/);
          assert.match(refusal(keyType, { hashAlgorithm, pss: { saltLength: 0 } }), /unsupported combination/);
          continue;
        }
        const digest = digestOf(hashAlgorithm);
        assert.equal(planSignature(keyType, digest, { hashAlgorithm }).signingAlgorithm, `RSASSA_PKCS1_V1_5_${suffix}`);
        for (const saltLength of [0, -1, digest.length]) {
          const plan = planSignature(keyType, digest, { hashAlgorithm, pss: { saltLength } });
          assert.equal(plan.signingAlgorithm, `RSASSA_PSS_${suffix}`);
          assert.deepEqual(plan.digest, digest);
        }
        for (const saltLength of [1, 20, -2, digest.length + 1]) {
          assert.match(refusal(keyType, { hashAlgorithm, pss: { saltLength } }), /unsupported PSS salt length/);
        }
      }
    });
  }

  it("refuses a digest of another length, for every key type", () => {
    for (const keyType of keyTypes) {
      for (const length of [0, 31, 33, 4096]) {
        const message = refusal(keyType, { hashAlgorithm: "SHA256" }, new Uint8Array(length));
        assert.equal(message, `data must be a SHA256 digest of 32 bytes, not ${length} bytes`);
      }
    }
  });

  it("refuses PSS options for an EC key", () => {
    assert.match(refusal("ec-p256", { hashAlgorithm: "SHA256", pss: { saltLength: -1 } }), /PSS options do not go/);
  });
});
