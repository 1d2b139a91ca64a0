/** RSA over a digest, against OpenSSL. */
import assert from "node:assert/strict";
import { constants, createHash, createPrivateKey, createPublicKey, randomBytes, sign, verify } from "node:crypto";
import { describe, it } from "node:test";
import { readyMadeRsa } from "../../../test/fixtures/rsa-keys/index.ts";
import { createRandom } from "../random.ts";
import { createKeyMaterialSource } from "./key-material.ts";
import { type RsaHash, signRsaDigest, verifyRsaDigest } from "./rsa.ts";

const hashes: readonly RsaHash[] = ["sha256", "sha384", "sha512"];

describe("RSA over a digest", async () => {
  const material = await createKeyMaterialSource(createRandom(1), { generateRsa: readyMadeRsa() }).create("RSA_2048");
  const publicKey = createPublicKey({ key: Buffer.from(material.publicKey), format: "der", type: "spki" });
  const privateKey = createPrivateKey({ key: Buffer.from(material.secret), format: "der", type: "pkcs8" });
  const message = randomBytes(77);

  for (const hash of hashes) {
    const digest = createHash(hash).update(message).digest();

    it(`PKCS#1 v1.5 with ${hash} is what OpenSSL makes of the message`, () => {
      const expected = sign(hash, message, { key: privateKey, padding: constants.RSA_PKCS1_PADDING });
      assert.deepEqual(Buffer.from(signRsaDigest(material, "pkcs1", hash, digest)), expected);
      assert.ok(verifyRsaDigest(material, "pkcs1", hash, digest, expected));
    });

    it(`PSS with ${hash} has a salt as long as the hash, no other`, () => {
      const signature = signRsaDigest(material, "pss", hash, digest);
      const padding = constants.RSA_PKCS1_PSS_PADDING;
      const verifies = (saltLength: number) =>
        verify(hash, message, { key: publicKey, padding, saltLength }, signature);
      assert.ok(verifies(digest.length));
      for (const saltLength of [0, 20, 256 - digest.length - 2]) assert.ok(!verifies(saltLength));
      assert.notDeepEqual(signRsaDigest(material, "pss", hash, digest), signature, "salted");
    });

    it(`PSS with ${hash} of OpenSSL verifies, with another salt length it does not`, () => {
      const theirs = (saltLength: number) =>
        sign(hash, message, { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
      assert.ok(verifyRsaDigest(material, "pss", hash, digest, theirs(digest.length)));
      for (const saltLength of [0, 20, digest.length + 1]) {
        assert.ok(!verifyRsaDigest(material, "pss", hash, digest, theirs(saltLength)));
      }
    });
  }

  it("does not verify what is no signature, or one of another scheme, hash or digest", () => {
    const digest = createHash("sha256").update(message).digest();
    const pss = signRsaDigest(material, "pss", "sha256", digest);
    const pkcs1 = signRsaDigest(material, "pkcs1", "sha256", digest);
    assert.ok(!verifyRsaDigest(material, "pkcs1", "sha256", digest, pss));
    assert.ok(!verifyRsaDigest(material, "pss", "sha256", digest, pkcs1));
    for (const scheme of ["pss", "pkcs1"] as const) {
      for (const wrong of [
        Buffer.alloc(0),
        randomBytes(255),
        Buffer.alloc(256, 0xff),
        Buffer.alloc(256),
        randomBytes(257),
      ]) {
        assert.equal(verifyRsaDigest(material, scheme, "sha256", digest, wrong), false);
      }
      const other = createHash("sha256").update("other").digest();
      assert.ok(!verifyRsaDigest(material, scheme, "sha256", other, scheme === "pss" ? pss : pkcs1));
    }
  });
});
