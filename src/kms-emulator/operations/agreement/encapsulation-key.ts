/** What Encapsulate and Decapsulate ask of a key. */
import { factsOf, type MlKemSet } from "../../crypto/key-spec.ts";
import type { OperationContext } from "../../framework/context.ts";
import type { KeyRecord } from "../../state/records.ts";
import { requireAlgorithm, requireCryptographicKey, requireUsage } from "../cryptographic-key.ts";

interface EncapsulationRequest {
  readonly KeyId: string;
  readonly EncapsulationAlgorithm: string;
  readonly GrantTokens?: readonly string[] | undefined;
}

export function requireEncapsulationKey(
  context: OperationContext,
  operation: "Encapsulate" | "Decapsulate",
  input: EncapsulationRequest,
): { key: KeyRecord; parameterSet: MlKemSet } {
  const { KeyId: keyId, GrantTokens: grantTokens, EncapsulationAlgorithm } = input;
  const conditions = { "kms:EncapsulationAlgorithm": EncapsulationAlgorithm };
  const key = requireCryptographicKey(context, { operation, keyId, grantTokens, conditions });
  requireUsage(operation, key, "ENCAPSULATE_DECAPSULATE");
  const facts = factsOf(key.spec);
  requireAlgorithm(key, EncapsulationAlgorithm, facts.family === "ml-kem" ? ["ML_KEM"] : []);
  return { key, parameterSet: facts.family === "ml-kem" ? facts.parameterSet : "512" };
}
