/** Data keys: random bytes, and the same under a key. */
import { randomBytes } from "node:crypto";
import { invalid } from "../../exceptions.ts";
import type { OperationContext } from "../../framework/context.ts";
import type { GenerateDataKeyRequest } from "../../model/kms-types.gen.ts";
import { arnOf, type KeyRecord } from "../../state/records.ts";
import { refuseDryRun, requireAlgorithm, requireCryptographicKey, requireUsage } from "../cryptographic-key.ts";
import { encryptUnder } from "../encryption/encryption-rules.ts";

export type DataKeyOperation =
  | "GenerateDataKey"
  | "GenerateDataKeyWithoutPlaintext"
  | "GenerateDataKeyPair"
  | "GenerateDataKeyPairWithoutPlaintext";

interface DataKeyRequest {
  readonly KeyId: string;
  readonly EncryptionContext?: Readonly<Record<string, string>> | undefined;
  readonly GrantTokens?: readonly string[] | undefined;
}

/** The key that the data key is to be under: a symmetric one to encrypt with. */
export function requireDataKeyKey(
  context: OperationContext,
  operation: DataKeyOperation,
  input: DataKeyRequest,
  conditions: Readonly<Record<string, string>> = {},
): KeyRecord {
  const key = requireCryptographicKey(context, {
    operation,
    keyId: input.KeyId,
    grantTokens: input.GrantTokens,
    conditions: { "kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT", ...conditions },
    encryptionContext: input.EncryptionContext,
  });
  requireUsage(operation, key, "ENCRYPT_DECRYPT");
  requireAlgorithm(key, "SYMMETRIC_DEFAULT", key.spec === "SYMMETRIC_DEFAULT" ? ["SYMMETRIC_DEFAULT"] : []);
  return key;
}

const specBytes = { AES_256: 32, AES_128: 16 } as const;

function lengthOf({ KeySpec, NumberOfBytes }: Pick<GenerateDataKeyRequest, "KeySpec" | "NumberOfBytes">): number {
  if ((KeySpec === undefined) === (NumberOfBytes === undefined)) {
    throw invalid("Please specify either number of bytes or key spec."); // text [L]
  }
  return KeySpec === undefined ? (NumberOfBytes ?? 0) : specBytes[KeySpec];
}

/** A data key and what goes with it in an answer; the plaintext is the caller's to show. */
export function makeDataKey(
  context: OperationContext,
  operation: "GenerateDataKey" | "GenerateDataKeyWithoutPlaintext",
  input: Omit<GenerateDataKeyRequest, "Recipient">,
) {
  const key = requireDataKeyKey(context, operation, input);
  const length = lengthOf(input);
  refuseDryRun(input.DryRun);
  const plaintext = randomBytes(length);
  const CiphertextBlob = encryptUnder(context, key, "SYMMETRIC_DEFAULT", plaintext, input.EncryptionContext);
  context.noteUse(key, operation);
  return { plaintext, members: { CiphertextBlob, KeyId: arnOf(key), KeyMaterialId: key.materialId } };
}
