/** What every cryptographic operation asks of its key before it uses it. */
import type { KeyUsage } from "../crypto/key-spec.ts";
import { AwsException } from "../exceptions.ts";
import type { OperationContext } from "../framework/context.ts";
import { arnOf, type KeyRecord } from "../state/records.ts";
import { requireGrantTokens } from "./grant-tokens.ts";
import { type ReferenceRules, requireKey } from "./key-reference.ts";
import { requireState, type StateCheckedOperation } from "./key-state.ts";

interface CryptographicRequest {
  readonly operation: StateCheckedOperation;
  readonly keyId: string;
  readonly grantTokens: readonly string[] | undefined;
  /** The IAM action, where it is not named as the operation is. */
  readonly action?: string;
  readonly conditions?: ReferenceRules["conditions"];
  readonly encryptionContext?: Readonly<Record<string, string>> | undefined;
}

/** The key that a request names, with permission for it and in a state for the operation. */
export function requireCryptographicKey(context: OperationContext, request: CryptographicRequest): KeyRecord {
  const { operation, keyId, conditions, encryptionContext } = request;
  const key = requireKey(context, keyId, {
    action: request.action ?? `kms:${operation}`,
    acceptsAlias: true,
    acceptsForeign: true,
    ...(conditions ? { conditions } : {}),
    encryptionContext,
  });
  requireGrantTokens(request.grantTokens);
  requireState(operation, key);
  return key;
}

/** Throws InvalidKeyUsageException unless the key is for `usage`. */
export function requireUsage(operation: string, key: KeyRecord, usage: KeyUsage): void {
  if (key.usage === usage) return;
  throw new AwsException(
    "InvalidKeyUsageException",
    `${arnOf(key)} key usage is ${key.usage} which is not valid for ${operation}.`,
  );
}

/** Throws InvalidKeyUsageException unless keys of this spec do `algorithm`. */
export function requireAlgorithm(key: KeyRecord, algorithm: string, known: readonly string[]): void {
  if (known.includes(algorithm)) return;
  throw new AwsException(
    "InvalidKeyUsageException",
    `Algorithm ${algorithm} is incompatible with key spec ${key.spec}.`,
  );
}

/** The last step before a call takes effect. */
export function refuseDryRun(isDryRun: boolean | undefined): void {
  if (isDryRun) {
    throw new AwsException(
      "DryRunOperationException",
      "The request would have succeeded, but the DryRun option is set.",
    );
  }
}

/** An answer for a Nitro enclave needs AWS's attestation, which nothing here can give. */
export function refuseRecipient(recipient: object | undefined): void {
  if (recipient === undefined) return;
  throw new AwsException("UnsupportedOperationException", "This emulator has no attestation of Nitro enclaves.");
}
