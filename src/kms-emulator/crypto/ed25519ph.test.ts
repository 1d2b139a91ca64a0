/** Ed25519ph over a digest, against @noble/curves' own. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { ed25519ph } from "@noble/curves/ed25519.js";
import { createRandom } from "../random.ts";
import { signEd25519phDigest, verifyEd25519phDigest } from "./ed25519ph.ts";
import { createKeyMaterialSource } from "./key-material.ts";

describe("Ed25519ph over a digest", () => {
  it("is what @noble/curves makes of the message, and what RFC 8032 section 7.3 shows", async () => {
    const material = await createKeyMaterialSource(createRandom(1)).create("ECC_NIST_EDWARDS25519");
    const [seed, publicKey] = [material.secret.subarray(-32), material.publicKey.subarray(-32)];
    for (let round = 0; round < 5; round += 1) {
      const message = randomBytes(round * 33);
      const digest = createHash("sha512").update(message).digest();
      const signature = signEd25519phDigest(material, digest);
      assert.deepEqual(Buffer.from(signature), Buffer.from(ed25519ph.sign(message, seed)));
      assert.ok(ed25519ph.verify(signature, message, publicKey));
      assert.ok(verifyEd25519phDigest(material, digest, signature));
      const wrong = Buffer.from(signature);
      wrong[40] = (wrong[40] ?? 0) ^ 1;
      assert.ok(!verifyEd25519phDigest(material, digest, wrong));
    }
    for (const wrong of [Buffer.alloc(64), Buffer.alloc(64, 0xff), Buffer.alloc(10)]) {
      assert.equal(verifyEd25519phDigest(material, randomBytes(64), wrong), false);
    }
    const vector = {
      ...material,
      secret: Buffer.from("833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42", "hex"),
      publicKey: Buffer.from("ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf", "hex"),
    };
    assert.equal(
      Buffer.from(signEd25519phDigest(vector, createHash("sha512").update("abc").digest())).toString("hex"),
      "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae4131f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406",
    );
  });
});
