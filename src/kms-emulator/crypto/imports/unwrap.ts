/** Takes key material out of what a client has wrapped for import. */
import { constants, createDecipheriv, createPrivateKey, type KeyObject, privateDecrypt } from "node:crypto";

export type WrappingAlgorithm =
  | "RSAES_OAEP_SHA_1"
  | "RSAES_OAEP_SHA_256"
  | "RSA_AES_KEY_WRAP_SHA_1"
  | "RSA_AES_KEY_WRAP_SHA_256";

const hashOf = (algorithm: WrappingAlgorithm): "sha1" | "sha256" => (algorithm.endsWith("_256") ? "sha256" : "sha1");

/** The initial value of RFC 5649, 3. */
const wrapPadding = Buffer.from("a65959a6", "hex");

const cipherOf: Readonly<Record<number, string>> = {
  16: "id-aes128-wrap-pad",
  24: "id-aes192-wrap-pad",
  32: "id-aes256-wrap-pad",
};

/** AES key wrap with padding (RFC 5649). */
function unwrapAes(key: Uint8Array, wrapped: Uint8Array): Uint8Array {
  const cipher = cipherOf[key.length];
  if (cipher === undefined) throw new Error("the wrapped AES key has no length of AES");
  const decipher = createDecipheriv(cipher, key, wrapPadding);
  return Buffer.concat([decipher.update(wrapped), decipher.final()]);
}

function unwrapRsa(key: KeyObject, algorithm: WrappingAlgorithm, wrapped: Uint8Array): Uint8Array {
  return privateDecrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: hashOf(algorithm) }, wrapped);
}

/** Undefined if it is not wrapped for this key with this algorithm. `pkcs8`: the wrapping key. */
export function unwrapMaterial(
  pkcs8: Uint8Array,
  algorithm: WrappingAlgorithm,
  wrapped: Uint8Array,
): Uint8Array | undefined {
  const key = createPrivateKey({ key: Buffer.from(pkcs8), format: "der", type: "pkcs8" });
  try {
    if (!algorithm.startsWith("RSA_AES_")) return unwrapRsa(key, algorithm, wrapped);
    // PKCS #11's CKM_RSA_AES_KEY_WRAP: an AES key under RSA, then the material under that key.
    const rsaBytes = (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8;
    return unwrapAes(unwrapRsa(key, algorithm, wrapped.subarray(0, rsaBytes)), wrapped.subarray(rsaBytes));
  } catch {
    return undefined;
  }
}
