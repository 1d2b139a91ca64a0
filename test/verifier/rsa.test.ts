/** RSA: lengths, numbers out of range, and encodings that a lenient reader would take. */
import assert from "node:assert/strict";
import { constants, createHash, privateEncrypt } from "node:crypto";
import { describe, it } from "node:test";
import { signatureVerifier } from "../../src/key-manager/signing/signature-verifier.ts";
import { rsaKeyPair } from "../fixtures/rsa-keys/index.ts";
import { octets } from "./ecdsa-cases.ts";

const prefix = Buffer.from("3031300d060960864801650304020105000420", "hex");
const withoutNull = Buffer.from("302f300b0609608648016503040201" + "0420", "hex");

describe("RSA verification", () => {
  const { publicKey, privateKey } = rsaKeyPair(2048);
  const verify = signatureVerifier(publicKey);
  const bytes = 256;
  const digest = createHash("sha256").update("a message").digest();

  const encode = (info: Buffer, { blockType = 1, filling = 0xff, tail = Buffer.alloc(0) } = {}): Buffer => {
    const fill = Buffer.alloc(bytes - 3 - info.length - tail.length, filling);
    return Buffer.concat([Buffer.from([0, blockType]), fill, Buffer.alloc(1), info, tail]);
  };
  const sign = (encoded: Buffer) => privateEncrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, encoded);
  const info = Buffer.concat([prefix, digest]);
  const good = sign(encode(info));

  it("accepts the one encoding of PKCS#1", () => {
    assert.equal(verify("RSASSA_PKCS1_V1_5_SHA_256", digest, good), true);
  });

  const encodings: Readonly<Record<string, Buffer>> = {
    "a DigestInfo without NULL": encode(Buffer.concat([withoutNull, digest])),
    "bytes after the digest": encode(info, { tail: Buffer.alloc(4) }),
    "block type 2": encode(info, { blockType: 2 }),
    "block type 0": encode(info, { blockType: 0 }),
    "a filling of zeros": encode(info, { filling: 0 }),
    "a filling of other bytes": encode(info, { filling: 0xfe }),
    "a digest without DigestInfo": encode(digest),
  };
  for (const [name, encoded] of Object.entries(encodings))
    it(`refuses ${name}`, () => {
      assert.equal(verify("RSASSA_PKCS1_V1_5_SHA_256", digest, sign(encoded)), false);
    });

  it("refuses other lengths and numbers that are not below the modulus", () => {
    const { n = "" } = publicKey.export({ format: "jwk" });
    const modulus = BigInt(`0x${Buffer.from(n, "base64url").toString("hex")}`);
    const value = BigInt(`0x${good.toString("hex")}`);
    const limit = 1n << 2048n;
    const bad = [
      Buffer.concat([Buffer.alloc(1), good]),
      Buffer.concat([good, Buffer.alloc(1)]),
      good.subarray(1),
      good.subarray(0, -1),
      new Uint8Array(),
      octets(0n, bytes),
      octets(1n, bytes),
      octets(modulus - 1n, bytes),
      octets(modulus, bytes),
      octets(modulus - value, bytes),
      ...(value + modulus < limit ? [octets(value + modulus, bytes)] : []),
    ];
    for (const algorithm of ["RSASSA_PKCS1_V1_5_SHA_256", "RSASSA_PSS_SHA_256"] as const) {
      for (const signature of bad) assert.equal(verify(algorithm, digest, signature), false);
    }
  });

  it("refuses a digest that is not as long as the algorithm's, and ECDSA's algorithms", () => {
    for (const length of [0, 31, 33, 48, 64]) {
      assert.equal(verify("RSASSA_PKCS1_V1_5_SHA_256", Buffer.alloc(length), good), false);
      assert.equal(verify("RSASSA_PSS_SHA_256", Buffer.alloc(length), good), false);
    }
    assert.equal(verify("RSASSA_PKCS1_V1_5_SHA_384", digest, good), false);
    assert.equal(verify("ECDSA_SHA_256", digest, good), false);
  });
});
