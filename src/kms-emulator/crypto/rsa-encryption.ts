/** RSAES-OAEP of RFC 8017, with MGF1 over the same hash. */
import { constants, createPrivateKey, createPublicKey, privateDecrypt, publicEncrypt } from "node:crypto";

export type OaepHash = "sha1" | "sha256";

const digestBytes: Record<OaepHash, number> = { sha1: 20, sha256: 32 };

/** The longest plaintext that fits (RFC 8017, 7.1.1). */
export const maxOaepBytes = (modulusLength: number, hash: OaepHash): number =>
  modulusLength / 8 - 2 * digestBytes[hash] - 2;

const padding = constants.RSA_PKCS1_OAEP_PADDING;

export function encryptOaep(spki: Uint8Array, hash: OaepHash, plaintext: Uint8Array): Uint8Array {
  const key = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
  return publicEncrypt({ key, padding, oaepHash: hash }, plaintext);
}

/** Undefined if the ciphertext is not one under this key and hash. */
export function decryptOaep(pkcs8: Uint8Array, hash: OaepHash, ciphertext: Uint8Array): Uint8Array | undefined {
  const key = createPrivateKey({ key: Buffer.from(pkcs8), format: "der", type: "pkcs8" });
  try {
    return privateDecrypt({ key, padding, oaepHash: hash }, ciphertext);
  } catch {
    return undefined;
  }
}
