/**
 * Checking KMS's signatures over a digest before they are handed out.
 *
 * `node:crypto` verifies only what it hashes itself, so the last steps are done here, and OpenSSL does the rest: RSA's
 * public operation, ECDSA's point multiplications. No secret is in any of it; nothing here has to take constant time.
 */
import type { KeyObject } from "node:crypto";
import type { SigningAlgorithmSpec } from "../ports.ts";
import { ecdsaVerifier } from "./ecdsa/ecdsa-verifier.ts";
import { readPublicKey } from "./public-key.ts";
import { rsaVerifier } from "./rsa-verifier.ts";

/** Whether a signature is valid for exactly this digest. Never throws: nonsense is invalid. */
export type SignatureVerifier = (algorithm: SigningAlgorithmSpec, digest: Uint8Array, signature: Uint8Array) => boolean;

function verifierOf(key: KeyObject): SignatureVerifier {
  if (key.asymmetricKeyType !== "ec") return rsaVerifier(key);
  const verify = ecdsaVerifier(key);
  return (algorithm, digest, signature) => algorithm.startsWith("ECDSA_") && verify(digest, signature);
}

/**
 * Makes the verifier of one public key of SPIRE's types: a SubjectPublicKeyInfo, or the key that was read from one.
 *
 * @throws Error for what is no such key
 */
export function signatureVerifier(publicKey: Uint8Array | KeyObject): SignatureVerifier {
  const key = publicKey instanceof Uint8Array ? readPublicKey(publicKey) : publicKey;
  const verify = verifierOf(key);
  return (algorithm, digest, signature) => {
    try {
      return verify(algorithm, digest, signature);
    } catch {
      return false;
    }
  };
}
