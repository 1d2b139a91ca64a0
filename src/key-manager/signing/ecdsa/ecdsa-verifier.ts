/** Checking ECDSA signatures over a digest with one public key. */
import type { KeyObject } from "node:crypto";
import { type Curve, integerOf, p256, p384 } from "./curve.ts";
import { readEcdsaSignature } from "./ecdsa-signature.ts";
import { openSslCheck } from "./openssl-check.ts";

function curveOf(key: KeyObject): Curve {
  const name = key.asymmetricKeyDetails?.namedCurve;
  const curve = [p256, p384].find(({ openSslName }) => openSslName === name);
  if (curve === undefined) throw new Error(`no verifier for the curve ${name}`);
  return curve;
}

/** Whether a signature, in DER, is valid for exactly this digest. */
export type EcdsaVerifier = (digest: Uint8Array, signature: Uint8Array) => boolean;

export function ecdsaVerifier(key: KeyObject): EcdsaVerifier {
  const curve = curveOf(key);
  const { n, bytes } = curve;
  const { x = "", y = "" } = key.export({ format: "jwk" });
  const publicKey = { x: integerOf(Buffer.from(x, "base64url")), y: integerOf(Buffer.from(y, "base64url")) };
  const check = openSslCheck(curve, publicKey);
  return (digest, signature) => {
    const { r, s } = readEcdsaSignature(signature) ?? { r: 0n, s: 0n };
    if (r <= 0n || r >= n || s <= 0n || s >= n) return false;
    // The leftmost bits of the digest, as many as n has (FIPS 186-5, 6.4.2); they may still exceed n.
    return check(integerOf(digest.subarray(0, bytes)) % n, r, s);
  };
}
