/** The form of public keys that SPIRE reads, and forms that it does not. */
import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { describe, it } from "node:test";
import { rsaKeyPair } from "../../../test/fixtures/rsa-keys/index.ts";
import type { KeyType } from "../key-type.ts";
import { createKeyEntry } from "../keys/key-entry.ts";
import { readPublicKey } from "./public-key.ts";
import { signatureVerifier } from "./signature-verifier.ts";

const keys: Readonly<Record<KeyType, KeyObject>> = {
  "ec-p256": generateKeyPairSync("ec", { namedCurve: "prime256v1" }).publicKey,
  "ec-p384": generateKeyPairSync("ec", { namedCurve: "secp384r1" }).publicKey,
  "rsa-2048": rsaKeyPair(2048).publicKey,
  "rsa-4096": rsaKeyPair(4096).publicKey,
};
const entry = (keyType: KeyType, pkixData: Uint8Array) =>
  createKeyEntry({ keyId: "x", keyType, keyArn: "arn:a-key", aliasName: "alias/x", pkixData });

/** SubjectPublicKeyInfo of P-256 with the point compressed: OpenSSL reads it, Go's x509 does not. */
function compressed(pkixData: Buffer): Buffer {
  const [x, lastOfY] = [pkixData.subarray(27, 59), pkixData.at(-1) ?? 0];
  const head = Buffer.from("3039301306072a8648ce3d020106082a8648ce3d030107032200", "hex");
  return Buffer.concat([head, Buffer.from([2 + (lastOfY & 1)]), x]);
}

describe("public key", () => {
  for (const keyType of ["ec-p256", "ec-p384", "rsa-2048", "rsa-4096"] as const) {
    const pkixData = keys[keyType].export({ type: "spki", format: "der" });

    it(`of type ${keyType} is read, and refused with bytes after it`, () => {
      assert.ok(readPublicKey(pkixData).equals(keys[keyType]));
      assert.equal(entry(keyType, pkixData).keyType, keyType);
      for (const tail of [Buffer.alloc(1), Buffer.from([0x30, 0x00]), pkixData]) {
        const longer = Buffer.concat([pkixData, tail]);
        assert.throws(() => signatureVerifier(longer), /bytes follow it/);
        assert.throws(() => entry(keyType, longer), {
          name: "KeyManagerError",
          code: "INTERNAL",
          message: `KMS answered with a malformed public key for arn:a-key: ${tail.length} bytes follow it that are no part of it`,
        });
      }
    });

    it(`of type ${keyType} is refused when cut or empty`, () => {
      for (const length of [0, 1, pkixData.length - 1]) {
        assert.throws(() => readPublicKey(pkixData.subarray(0, length)), /it is no SubjectPublicKeyInfo/);
      }
    });
  }

  it("is refused in a form that SPIRE does not read", () => {
    const pkixData = keys["ec-p256"].export({ type: "spki", format: "der" });
    assert.throws(() => readPublicKey(compressed(pkixData)), /it is not in canonical DER/);
    // Lengths in BER's longer form.
    const longForm = Buffer.concat([Buffer.from([0x30, 0x81]), pkixData.subarray(1)]);
    assert.throws(() => readPublicKey(longForm), /it is not in canonical DER/);
  });
});
