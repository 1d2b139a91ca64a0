/** Encrypting under a key, and what that asks of the key, the algorithm and the plaintext. */
import { type EncryptionContext, seal } from "../../crypto/ciphertext.ts";
import { type EncryptionAlgorithm, factsOf } from "../../crypto/key-spec.ts";
import { encryptOaep, maxOaepBytes, type OaepHash } from "../../crypto/rsa-encryption.ts";
import { AwsException, invalid } from "../../exceptions.ts";
import type { OperationContext } from "../../framework/context.ts";
import type { KeyRecord } from "../../state/records.ts";
import { requireAlgorithm, requireUsage } from "../cryptographic-key.ts";

/** InvalidCiphertextException has no message. */
export const invalidCiphertext = (): AwsException => new AwsException("InvalidCiphertextException");

export const oaepHashOf = (algorithm: EncryptionAlgorithm): OaepHash =>
  algorithm === "RSAES_OAEP_SHA_1" ? "sha1" : "sha256";

/** Asymmetric encryption knows no context. */
function refuseContext(algorithm: EncryptionAlgorithm, context: EncryptionContext | undefined): void {
  if (algorithm === "SYMMETRIC_DEFAULT" || context === undefined || Object.keys(context).length === 0) return;
  throw invalid(`EncryptionContext is not supported with algorithm ${algorithm}.`); // text [I]
}

/** Throws unless the key is one to encrypt with by this algorithm. */
export function requireEncryptionKey(
  operation: string,
  key: KeyRecord,
  algorithm: EncryptionAlgorithm,
  context: EncryptionContext | undefined,
): void {
  requireUsage(operation, key, "ENCRYPT_DECRYPT");
  requireAlgorithm(key, algorithm, factsOf(key.spec).encryption);
  refuseContext(algorithm, context);
}

/** Checks the length of the plaintext, which the model only bounds for symmetric keys. */
export function requireFittingPlaintext(key: KeyRecord, algorithm: EncryptionAlgorithm, plaintext: Uint8Array): void {
  const facts = factsOf(key.spec);
  if (facts.family !== "rsa") return;
  const most = maxOaepBytes(facts.modulusLength, oaepHashOf(algorithm));
  if (plaintext.length <= most) return;
  throw invalid(`Algorithm ${algorithm} and key spec ${key.spec} cannot encrypt data larger than ${most} bytes.`);
}

export function encryptUnder(
  context: OperationContext,
  key: KeyRecord,
  algorithm: EncryptionAlgorithm,
  plaintext: Uint8Array,
  encryptionContext: EncryptionContext | undefined,
): Uint8Array {
  const material = context.materialOf(key);
  if (algorithm === "SYMMETRIC_DEFAULT") return seal(material.id, material.secret, plaintext, encryptionContext ?? {});
  return encryptOaep(material.publicKey, oaepHashOf(algorithm), plaintext);
}

/** Only ciphertexts of symmetric keys tell which material made them. */
export const materialIdMember = <M extends string>(member: M, key: KeyRecord, id: string | undefined) =>
  (key.spec === "SYMMETRIC_DEFAULT" && id !== undefined ? { [member]: id } : {}) as { readonly [K in M]?: string };
