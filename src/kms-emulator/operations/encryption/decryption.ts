/** From a ciphertext to its key and its plaintext. */
import { type EncryptionContext, materialIdOf, open } from "../../crypto/ciphertext.ts";
import type { EncryptionAlgorithm } from "../../crypto/key-spec.ts";
import { decryptOaep } from "../../crypto/rsa-encryption.ts";
import { AwsException, invalid } from "../../exceptions.ts";
import type { OperationContext } from "../../framework/context.ts";
import { arnOf, type KeyRecord } from "../../state/records.ts";
import { requireCryptographicKey } from "../cryptographic-key.ts";
import { invalidCiphertext, oaepHashOf, requireEncryptionKey } from "./encryption-rules.ts";

interface DecryptionRequest {
  readonly operation: "Decrypt" | "ReEncrypt";
  readonly action: string;
  readonly keyId: string | undefined;
  /** Absent: the ciphertext plays no part, as a dry run may ask. */
  readonly ciphertext: Uint8Array | undefined;
  readonly algorithm: EncryptionAlgorithm;
  readonly encryptionContext: EncryptionContext | undefined;
  readonly grantTokens: readonly string[] | undefined;
  readonly conditions?: Readonly<Record<string, string>>;
}

/** What a caller is told who does not name the key: not whether it exists, is elsewhere, or is not for the caller. */
const inaccessible = (): AwsException =>
  new AwsException(
    "AccessDeniedException",
    "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.",
  );

/** The key of this Region that made the ciphertext. */
function keyOfCiphertext(context: OperationContext, ciphertext: Uint8Array): KeyRecord {
  const id = materialIdOf(ciphertext);
  if (id === undefined) throw invalidCiphertext();
  const owner = context.ownerOfMaterial(id);
  const key = owner && context.viewOf(owner.account, context.region).key(owner.keyId);
  if (!key) throw inaccessible();
  return key;
}

/** The key as the request names it or as the ciphertext does, with permission and in the right state. */
function requireKeyFor(context: OperationContext, request: DecryptionRequest): KeyRecord {
  const { operation, action, grantTokens, conditions, encryptionContext, algorithm, ciphertext } = request;
  const rest = { operation, action, grantTokens, encryptionContext, ...(conditions ? { conditions } : {}) };
  if (request.keyId !== undefined) return requireCryptographicKey(context, { ...rest, keyId: request.keyId });
  if (algorithm !== "SYMMETRIC_DEFAULT" || ciphertext === undefined) {
    throw invalid("KeyId is required for this request."); // text [I]
  }
  const key = keyOfCiphertext(context, ciphertext);
  try {
    return requireCryptographicKey(context, { ...rest, keyId: arnOf(key) });
  } catch (error) {
    if (error instanceof AwsException && error.code === "AccessDeniedException") throw inaccessible();
    throw error;
  }
}

function openSymmetric(
  context: OperationContext,
  key: KeyRecord,
  request: DecryptionRequest & { ciphertext: Uint8Array },
) {
  const id = materialIdOf(request.ciphertext);
  if (id === undefined) throw invalidCiphertext();
  const owner = context.ownerOfMaterial(id);
  if (owner?.keyId !== key.keyId || owner.account !== key.account) {
    throw new AwsException(
      "IncorrectKeyException",
      "The key ID in the request does not identify a CMK that can perform this operation.",
    );
  }
  const material = context.material(id);
  const plaintext = material && open(material.secret, request.ciphertext, request.encryptionContext ?? {});
  return { plaintext, materialId: id };
}

interface Decrypted {
  readonly key: KeyRecord;
  readonly plaintext: Uint8Array;
  readonly materialId: string | undefined;
}

/** Throws what AWS answers to a ciphertext of another key, Region or context, or to one that was changed. */
export function decrypt(context: OperationContext, request: DecryptionRequest): Decrypted {
  const { algorithm, ciphertext, operation, encryptionContext } = request;
  const key = requireKeyFor(context, request);
  requireEncryptionKey(operation, key, algorithm, encryptionContext);
  if (ciphertext === undefined) return { key, plaintext: new Uint8Array(0), materialId: undefined };
  const { plaintext, materialId } =
    algorithm === "SYMMETRIC_DEFAULT"
      ? openSymmetric(context, key, { ...request, ciphertext })
      : {
          plaintext: decryptOaep(context.materialOf(key).secret, oaepHashOf(algorithm), ciphertext),
          materialId: undefined,
        };
  if (plaintext === undefined) throw invalidCiphertext();
  return { key, plaintext, materialId };
}

/** A dry run may do without the ciphertext. Throws if any other request does. */
export function requireCiphertext(
  ciphertext: Uint8Array | undefined,
  isDryRun: boolean | undefined,
  modifiers: readonly string[] | undefined,
): Uint8Array | undefined {
  if (isDryRun && modifiers?.includes("IGNORE_CIPHERTEXT")) return undefined;
  if (ciphertext !== undefined) return ciphertext;
  throw invalid(
    "1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null",
  );
}
