import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { before, describe, it } from "node:test";
import { p256, p384 } from "@noble/curves/nist.js";
import { HashAlgorithm, type KeyType } from "../../../../src/plugin-sdk/index.ts";
import type { Signer, SignerKeyId } from "../../harness/signer.ts";
import { publicKeyOf, signRequest, verifies } from "../../harness/signing.ts";
import { expectStatus } from "../../harness/status.ts";

/** Every hash SPIRE can name: node:crypto's name, the digest's bytes, whether KMS has an RSA algorithm for it. */
const hashes = [
  ["SHA224", "sha224", 28, false],
  ["SHA256", "sha256", 32, true],
  ["SHA384", "sha384", 48, true],
  ["SHA512", "sha512", 64, true],
  ["SHA3_224", "sha3-224", 28, false],
  ["SHA3_256", "sha3-256", 32, false],
  ["SHA3_384", "sha3-384", 48, false],
  ["SHA3_512", "sha3-512", 64, false],
  ["SHA512_224", "sha512-224", 28, false],
  ["SHA512_256", "sha512-256", 32, false],
] as const;

const curves = [
  ["p256", p256, 32],
  ["p384", p384, 48],
] as const;

const rsaKeys = ["rsa-2048", "rsa-4096"] as const;
const message = Buffer.from("what is signed");
const hash = HashAlgorithm;

/** FIPS 186-5, 6.4.1: the leftmost bits of a longer digest; a shorter one is the same integer with zeros before it. */
function fit(digest: Uint8Array, bytes: number): Uint8Array {
  if (digest.length >= bytes) return digest.subarray(0, bytes);
  return Buffer.concat([Buffer.alloc(bytes - digest.length), digest]);
}

export function describeDigests(signer: Signer): void {
  describe("digests", () => register(signer));
}

function register(signer: Signer): void {
  const keyObject = (keyId: SignerKeyId) => publicKeyOf(signer.key(keyId));

  before(() => signer.stage.kms.forgetCalls());

  for (const [keyId, curve, curveBytes] of curves) {
    for (const [name, nodeName] of hashes) {
      it(`${keyId} signs ${name}: valid for the digest that was asked for`, async () => {
        const digest = createHash(nodeName).update(message).digest();
        const { signature } = await signer.plugin.keyManager.signData(signRequest(keyId, digest, hash[name]));
        const { x = "", y = "" } = keyObject(keyId).export({ format: "jwk" });
        const point = Buffer.concat([Buffer.of(4), Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]);
        const options = { prehash: false, lowS: false, format: "der" } as const;
        assert.ok(curve.verify(signature, fit(digest, curveBytes), point, options), "over the fitted digest");
        const other = fit(createHash(nodeName).update("something else").digest(), curveBytes);
        assert.equal(curve.verify(signature, other, point, options), false);
        // OpenSSL fits the digest by itself, from the message on.
        assert.ok(verifies(keyObject(keyId), message, nodeName, signature), `node:crypto over ${nodeName}`);
      });
    }
  }

  for (const keyId of rsaKeys) {
    for (const [name, nodeName, , isRsa] of hashes) {
      for (const padding of ["pkcs1", "pss"] as const) {
        const digest = createHash(nodeName).update(message).digest();
        const sign = () => signer.plugin.keyManager.signData(signRequest(keyId, digest, hash[name], padding));
        if (isRsa) {
          it(`${keyId} signs ${name} with ${padding}`, async () => {
            const { signature } = await sign();
            assert.ok(verifies(keyObject(keyId), message, nodeName, signature, padding));
          });
        } else {
          it(`${keyId} refuses ${name} with ${padding}: KMS has no such algorithm`, async () => {
            const words = [/unsupported combination/, new RegExp(keyId), new RegExp(name)];
            await expectStatus(sign(), "INVALID_ARGUMENT", ...words);
          });
        }
      }
    }
  }

  for (const [name, , bytes] of hashes) {
    for (const length of [0, 1, bytes - 1, bytes + 1, 4096, 1_000_000]) {
      it(`${name} refuses a digest of ${length} bytes`, async () => {
        const call = signer.plugin.keyManager.signData(signRequest("p256", Buffer.alloc(length), hash[name]));
        const words = [new RegExp(`${name} digest of ${bytes} bytes`), new RegExp(`not ${length} bytes`)];
        await expectStatus(call, "INVALID_ARGUMENT", ...words);
      });
    }
  }

  for (const [saltLength, isAccepted] of [
    [0, true],
    [-1, true],
    [32, true],
    [20, false],
    [31, false],
    [33, false],
    [64, false],
    [-2, false],
  ] as const) {
    it(`PSS salt length ${saltLength} is ${isAccepted ? "accepted" : "refused"} over SHA256`, async () => {
      const value = { hashAlgorithm: hash.SHA256, saltLength };
      const data = createHash("sha256").update(message).digest();
      const call = signer.plugin.keyManager.signData({
        keyId: "rsa-2048",
        data,
        signerOpts: { case: "pssOptions", value },
      });
      if (!isAccepted) {
        await expectStatus(call, "INVALID_ARGUMENT", /PSS salt length/, new RegExp(`${saltLength}\\b`));
        return;
      }
      const { signature } = await call;
      assert.ok(verifies(keyObject("rsa-2048"), message, "sha256", signature, "pss"));
    });
  }

  it("refuses PSS with an EC key, hash numbers that do not exist and key types that do not exist", async () => {
    const data = createHash("sha256").update(message).digest();
    const { keyManager } = signer.plugin;
    const pss = keyManager.signData(signRequest("p256", data, hash.SHA256, "pss"));
    await expectStatus(pss, "INVALID_ARGUMENT", /PSS/, /ec-p256/);
    const noHash = keyManager.signData(signRequest("p256", data, 99 as HashAlgorithm));
    await expectStatus(noHash, "INVALID_ARGUMENT", /unsupported hash algorithm 99/);
    const noType = keyManager.generateKey({ keyId: "new", keyType: 99 as KeyType });
    await expectStatus(noType, "INVALID_ARGUMENT", /unsupported key type 99/);
  });

  it("has asked KMS for nothing but the signatures it made", () => {
    const operations = signer.stage.kms.calls();
    assert.deepEqual(new Set(operations.map(({ operation }) => operation)), new Set(["Sign"]));
    const failed = operations.filter(({ outcome }) => outcome !== "ok");
    assert.deepEqual(failed, [], "what KMS would refuse was refused before");
    const made = curves.length * hashes.length + rsaKeys.length * 3 * 2 + 3;
    assert.equal(operations.length, made);
  });
}
