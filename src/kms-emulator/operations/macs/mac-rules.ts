/** What GenerateMac and VerifyMac ask of a key. */
import { factsOf, type MacAlgorithm } from "../../crypto/key-spec.ts";
import type { OperationContext } from "../../framework/context.ts";
import type { KeyRecord } from "../../state/records.ts";
import { requireAlgorithm, requireCryptographicKey, requireUsage } from "../cryptographic-key.ts";

interface MacRequest {
  readonly KeyId: string;
  readonly MacAlgorithm: MacAlgorithm;
  readonly GrantTokens?: readonly string[] | undefined;
}

export function requireMacKey(
  context: OperationContext,
  operation: "GenerateMac" | "VerifyMac",
  { KeyId, MacAlgorithm, GrantTokens }: MacRequest,
): KeyRecord {
  const conditions = { "kms:MacAlgorithm": MacAlgorithm };
  const key = requireCryptographicKey(context, { operation, keyId: KeyId, grantTokens: GrantTokens, conditions });
  requireUsage(operation, key, "GENERATE_VERIFY_MAC");
  requireAlgorithm(key, MacAlgorithm, factsOf(key.spec).mac);
  return key;
}
