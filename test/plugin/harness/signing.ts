import { constants, createHash, createPublicKey, type KeyObject, type VerifyKeyObjectInput, verify } from "node:crypto";
import { HashAlgorithm, type PublicKey } from "../../../src/plugin-sdk/index.ts";
import type { TestPlugin } from "./test-plugin.ts";

/** Hash functions by node:crypto's names. */
export const hashAlgorithms = {
  sha256: HashAlgorithm.SHA256,
  sha384: HashAlgorithm.SHA384,
  sha512: HashAlgorithm.SHA512,
} as const;

export type HashName = keyof typeof hashAlgorithms;

export type Padding = "pkcs1" | "pss";

export const publicKeyOf = ({ pkixData }: Pick<PublicKey, "pkixData">): KeyObject =>
  createPublicKey({ key: Buffer.from(pkixData), format: "der", type: "spki" });

/** What SignData is asked with; a PSS salt as long as the digest, as certificates have it. */
export function signRequest(keyId: string, digest: Uint8Array, hash: HashAlgorithm, padding: Padding = "pkcs1") {
  const value = { hashAlgorithm: hash, saltLength: digest.length };
  return padding === "pss"
    ? { keyId, data: digest, signerOpts: { case: "pssOptions", value } as const }
    : { keyId, data: digest, signerOpts: { case: "hashAlgorithm", value: hash } as const };
}

/** Hashes a message, as SPIRE does, and has the plugin sign the digest. */
export async function signMessage(
  plugin: TestPlugin,
  keyId: string,
  message: Uint8Array,
  hash: HashName,
  padding: Padding = "pkcs1",
) {
  const digest = createHash(hash).update(message).digest();
  return plugin.keyManager.signData(signRequest(keyId, digest, hashAlgorithms[hash], padding));
}

/** Whether a signature over the message verifies, by node:crypto. */
export function verifies(
  key: KeyObject,
  message: Uint8Array,
  hash: string,
  signature: Uint8Array,
  padding: Padding = "pkcs1",
): boolean {
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  const input: VerifyKeyObjectInput = { key, ...(padding === "pss" ? pss : {}) };
  return verify(hash, message, input, signature);
}
