/** Signatures as KMS makes them are accepted, and what is nearly one is refused. */
import assert from "node:assert/strict";
import { constants, createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { describe, it } from "node:test";
import { p256, p384 } from "@noble/curves/nist.js";
import { rsaKeyPair } from "../../../test/fixtures/rsa-keys/index.ts";
import type { SigningAlgorithmSpec } from "../ports.ts";
import { signatureVerifier } from "./signature-verifier.ts";

const spki = (key: KeyObject) => new Uint8Array(key.export({ type: "spki", format: "der" }));
const digestOf = (hash: string, data: Uint8Array) => new Uint8Array(createHash(hash).update(data).digest());

/** Every way a signature may be damaged must be seen. */
function checkDamage(
  pkixData: Uint8Array,
  algorithm: SigningAlgorithmSpec,
  digest: Uint8Array,
  signature: Uint8Array,
): void {
  const verify = signatureVerifier(pkixData);
  assert.equal(verify(algorithm, digest, signature), true);
  for (let at = 0; at < signature.length; at += Math.max(1, signature.length >> 4)) {
    const damaged = Uint8Array.from(signature);
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    assert.equal(verify(algorithm, digest, damaged), false, `byte ${at}`);
  }
  const other = Uint8Array.from(digest);
  other[0] = (other[0] ?? 0) ^ 0x80;
  assert.equal(verify(algorithm, other, signature), false, "another digest");
  for (const nonsense of [[], signature.subarray(1), [...signature, 0], new Array(signature.length).fill(0)]) {
    assert.equal(verify(algorithm, digest, Uint8Array.from(nonsense)), false, "nonsense");
  }
}

describe("signature verifier", () => {
  for (const [name, curve, hash, algorithm] of [
    ["prime256v1", p256, "sha256", "ECDSA_SHA_256"],
    ["secp384r1", p384, "sha384", "ECDSA_SHA_384"],
  ] as const) {
    it(`accepts what OpenSSL signs on ${name}, and nothing else`, () => {
      const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: name });
      for (let round = 0; round < 12; round++) {
        const data = randomBytes(40);
        checkDamage(spki(publicKey), algorithm, digestOf(hash, data), new Uint8Array(sign(hash, data, privateKey)));
      }
      const stranger = generateKeyPairSync("ec", { namedCurve: name }).publicKey;
      const data = randomBytes(40);
      const signature = new Uint8Array(sign(hash, data, privateKey));
      assert.equal(signatureVerifier(spki(stranger))(algorithm, digestOf(hash, data), signature), false);
    });

    it(`accepts a signature over a digest of zeros on ${name}`, () => {
      const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: name });
      const secret = Buffer.from(privateKey.export({ format: "jwk" }).d ?? "", "base64url");
      const digest = new Uint8Array(hash === "sha256" ? 32 : 48);
      const der = curve.sign(digest, new Uint8Array(secret), { prehash: false, format: "der", lowS: false });
      checkDamage(spki(publicKey), algorithm, digest, der);
    });

    it(`agrees with a curve library on ${name}, on signatures and on random numbers`, () => {
      const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: name });
      const verify = signatureVerifier(spki(publicKey));
      const jwk = publicKey.export({ format: "jwk" });
      const point = Buffer.concat([
        Buffer.from([4]),
        Buffer.from(jwk.x ?? "", "base64url"),
        Buffer.from(jwk.y ?? "", "base64url"),
      ]);
      const size = jwk.x === undefined ? 0 : Buffer.from(jwk.x, "base64url").length;
      for (let round = 0; round < 20; round++) {
        const digest = new Uint8Array(randomBytes(size));
        const secret = Buffer.from(privateKey.export({ format: "jwk" }).d ?? "", "base64url");
        const der = curve.sign(digest, new Uint8Array(secret), { prehash: false, format: "der", lowS: false });
        assert.equal(verify(algorithm, digest, der), true);
        const forged = curve.Signature.fromBytes(new Uint8Array(randomBytes(2 * size)).fill(0x7f, 0, 1), "compact");
        const isValid = curve.verify(forged.toBytes("compact"), digest, new Uint8Array(point), {
          prehash: false,
          lowS: false,
        });
        assert.equal(verify(algorithm, digest, forged.toBytes("der")), isValid);
      }
    });
  }

  for (const bits of [2048, 4096] as const) {
    const { publicKey, privateKey } = rsaKeyPair(bits);
    for (const hash of ["sha256", "sha384", "sha512"] as const) {
      const suffix = `SHA_${hash.slice(3)}` as "SHA_256" | "SHA_384" | "SHA_512";
      it(`accepts RSA-${bits} with ${hash}, PKCS#1 and PSS, and does not take one for the other`, () => {
        const data = randomBytes(40);
        const digest = digestOf(hash, data);
        const pkcs1 = new Uint8Array(sign(hash, data, privateKey));
        const pss = new Uint8Array(
          sign(hash, data, { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: digest.length }),
        );
        checkDamage(spki(publicKey), `RSASSA_PKCS1_V1_5_${suffix}`, digest, pkcs1);
        checkDamage(spki(publicKey), `RSASSA_PSS_${suffix}`, digest, pss);
        const verify = signatureVerifier(spki(publicKey));
        assert.equal(verify(`RSASSA_PSS_${suffix}`, digest, pkcs1), false);
        assert.equal(verify(`RSASSA_PKCS1_V1_5_${suffix}`, digest, pss), false);
      });
    }
  }

  it("refuses an RSA signature without its leading zero, and with one more", () => {
    const { publicKey, privateKey } = rsaKeyPair(2048);
    const verify = signatureVerifier(spki(publicKey));
    const pss = { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
    for (const [key, algorithm] of [
      [privateKey, "RSASSA_PKCS1_V1_5_SHA_256"],
      [pss, "RSASSA_PSS_SHA_256"],
    ] as const) {
      let data: Buffer;
      let signature: Buffer;
      do {
        data = randomBytes(40);
        signature = sign("sha256", data, key);
      } while (signature[0] !== 0);
      const digest = digestOf("sha256", data);
      assert.equal(verify(algorithm, digest, signature), true);
      assert.equal(verify(algorithm, digest, signature.subarray(1)), false);
      assert.equal(verify(algorithm, digest, Buffer.concat([Buffer.alloc(1), signature])), false);
    }
  });

  it("refuses a PSS signature with another salt length, as KMS never makes it", () => {
    const { publicKey, privateKey } = rsaKeyPair(2048);
    const data = randomBytes(40);
    const options = { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING };
    const maximal = sign("sha256", data, { ...options, saltLength: constants.RSA_PSS_SALTLEN_MAX_SIGN });
    const verify = signatureVerifier(spki(publicKey));
    assert.equal(verify("RSASSA_PSS_SHA_256", digestOf("sha256", data), new Uint8Array(maximal)), false);
  });
});
