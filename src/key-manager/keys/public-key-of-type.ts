/** The public key that KMS answers with: read, and of the type that was asked for. */
import type { KeyObject } from "node:crypto";
import { KeyManagerError } from "../errors.ts";
import { isOfKeyType, type KeyType } from "../key-type.ts";
import { readPublicKey } from "../signing/public-key.ts";

/**
 * Checks that an answer of GetPublicKey is a SubjectPublicKeyInfo of the expected type.
 *
 * @throws KeyManagerError `INTERNAL` when it is not: a wrong key must never be handed out
 */
export function requirePublicKeyOfType(pkixData: Uint8Array, keyType: KeyType, keyArn: string): KeyObject {
  let key: KeyObject;
  try {
    key = readPublicKey(pkixData);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new KeyManagerError("INTERNAL", `KMS answered with a malformed public key for ${keyArn}: ${reason}`, {
      cause,
    });
  }
  if (!isOfKeyType(key, keyType)) {
    throw new KeyManagerError(
      "INTERNAL",
      `KMS answered with a public key for ${keyArn} that is not of type ${keyType}`,
    );
  }
  return key;
}
