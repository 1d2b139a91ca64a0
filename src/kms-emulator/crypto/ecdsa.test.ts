/** ECDSA over a digest, against @noble/curves and OpenSSL. */
import assert from "node:assert/strict";
import { createHash, createPublicKey, randomBytes, verify } from "node:crypto";
import { describe, it } from "node:test";
import { p256, p384, p521 } from "@noble/curves/nist.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { createRandom } from "../random.ts";
import { signDigest, verifyDigest } from "./ecdsa.ts";
import { createKeyMaterialSource } from "./key-material.ts";
import { factsOf, type KeySpec } from "./key-spec.ts";

const curves: readonly [KeySpec, typeof p256, string][] = [
  ["ECC_NIST_P256", p256, "sha256"],
  ["ECC_NIST_P384", p384, "sha384"],
  ["ECC_NIST_P521", p521, "sha512"],
  ["ECC_SECG_P256K1", secp256k1, "sha256"],
];

/** noble throws at what is not DER. */
function tolerant(verify: () => boolean): boolean {
  try {
    return verify();
  } catch {
    return false;
  }
}

describe("ECDSA over a digest", () => {
  for (const [spec, noble, hash] of curves) {
    it(`of ${spec}: what we sign, OpenSSL and @noble/curves verify; what noble signs, we verify`, async () => {
      const material = await createKeyMaterialSource(createRandom(1)).create(spec);
      const facts = factsOf(spec);
      assert.ok(facts.family === "ec");
      const der = Buffer.from(material.publicKey);
      const publicKey = createPublicKey({ key: der, format: "der", type: "spki" });
      assert.deepEqual(publicKey.export({ format: "der", type: "spki" }), der, "canonical SubjectPublicKeyInfo");
      const point = der.subarray(der.length - 1 - 2 * material.secret.length);
      const options = { prehash: false, lowS: false, format: "der" } as const;
      const seen = new Set<string>();
      // More than a batch of nonces.
      for (let round = 0; round < (facts.curve === "secp521r1" ? 6 : 20); round += 1) {
        const message = randomBytes(50);
        const digest = createHash(hash).update(message).digest();
        const signature = signDigest(facts.curve, material.secret, digest);
        assert.ok(verify(hash, message, publicKey, signature), "OpenSSL");
        const r = Buffer.from(signature).toString("hex", 4, 4 + 32);
        assert.ok(!seen.has(r), "a nonce is used once");
        seen.add(r);
        assert.ok(noble.verify(signature, digest, point, options), "@noble/curves");
        const theirs = noble.sign(digest, material.secret, options);
        assert.ok(verifyDigest(facts.curve, material.secret, digest, theirs));
        assert.ok(!verifyDigest(facts.curve, material.secret, createHash(hash).update("other").digest(), theirs));
        const other = await createKeyMaterialSource(createRandom(1)).create(spec);
        assert.ok(!verifyDigest(facts.curve, other.secret, digest, theirs), "another key's");
        const order = noble.Point.CURVE().n;
        const parsed = noble.Signature.fromBytes(theirs, "der");
        const high = new noble.Signature(parsed.r, order - parsed.s).toBytes("der");
        assert.equal(
          verifyDigest(facts.curve, material.secret, digest, high),
          noble.verify(high, digest, point, options),
        );
      }
    });
  }

  it("is DER of minimal integers", async () => {
    const { secret } = await createKeyMaterialSource(createRandom(1)).create("ECC_NIST_P256");
    for (let round = 0; round < 300; round += 1) {
      const signature = Buffer.from(signDigest("prime256v1", secret, randomBytes(32)));
      let at = 2;
      assert.deepEqual([signature[0], signature[1]], [0x30, signature.length - 2]);
      for (let integer = 0; integer < 2; integer += 1) {
        const length = signature[at + 1] ?? 0;
        const value = signature.subarray(at + 2, at + 2 + length);
        assert.equal(signature[at], 0x02);
        assert.ok((value[0] ?? 0) < 0x80, "positive");
        assert.ok((value[0] ?? 0) !== 0 || (value[1] ?? 0) >= 0x80, "no superfluous zero byte");
        at += 2 + length;
      }
      assert.equal(at, signature.length);
    }
  });

  it("does not verify what is no signature", async () => {
    const { secret } = await createKeyMaterialSource(createRandom(1)).create("ECC_NIST_P256");
    const digest = randomBytes(32);
    const signature = Buffer.from(signDigest("prime256v1", secret, digest));
    const trailing = Buffer.concat([signature, Buffer.from([0])]);
    for (const wrong of [
      Buffer.alloc(0),
      randomBytes(64),
      trailing,
      signature.subarray(0, 60),
      Buffer.alloc(70, 0x30),
    ]) {
      assert.equal(verifyDigest("prime256v1", secret, digest, wrong), false);
    }
  });

  it("takes signatures with a byte changed as @noble/curves does: each way of not being DER, each number out of range", async () => {
    for (const [spec, noble] of curves) {
      const { secret, publicKey } = await createKeyMaterialSource(createRandom(1)).create(spec);
      const facts = factsOf(spec);
      assert.ok(facts.family === "ec");
      const point = publicKey.subarray(publicKey.length - 1 - 2 * secret.length);
      const digest = randomBytes(32);
      const signature = Buffer.from(signDigest(facts.curve, secret, digest));
      const half = 2 + Math.floor(signature.length / 2);
      for (const at of [0, 1, 2, 3, 4, 5, half - 2, half - 1, half, half + 1, signature.length - 1]) {
        for (const value of [0x00, 0x01, 0x02, 0x30, 0x7f, 0x80, 0x81, 0xff]) {
          const changed = Buffer.from(signature);
          changed[at] = value;
          if (changed.equals(signature)) continue;
          const theirs = tolerant(() =>
            noble.verify(changed, digest, point, { prehash: false, lowS: false, format: "der" }),
          );
          assert.equal(verifyDigest(facts.curve, secret, digest, changed), theirs, `${spec}: byte ${at} is ${value}`);
        }
      }
    }
  });
});
