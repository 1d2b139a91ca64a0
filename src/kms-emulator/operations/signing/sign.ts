/** Sign: a signature over a message or a digest. */
import { signMessage } from "../../crypto/signing.ts";
import { kmsOperation } from "../../framework/kms-operation.ts";
import { arnOf } from "../../state/records.ts";
import { refuseDryRun, requireCryptographicKey } from "../cryptographic-key.ts";
import { readMessage, requireSigningKey } from "./signing-rules.ts";

export const sign = kmsOperation({
  name: "Sign",
  run(context, input) {
    const { SigningAlgorithm } = input;
    const type = input.MessageType ?? "RAW";
    const key = requireCryptographicKey(context, {
      operation: "Sign",
      keyId: input.KeyId,
      grantTokens: input.GrantTokens,
      conditions: { "kms:SigningAlgorithm": SigningAlgorithm, "kms:MessageType": type },
    });
    requireSigningKey("Sign", key, SigningAlgorithm);
    const signingInput = readMessage(key, SigningAlgorithm, type, input.Message);
    refuseDryRun(input.DryRun);
    const Signature = signMessage(context.materialOf(key), SigningAlgorithm, signingInput);
    context.noteUse(key, "Sign");
    return { KeyId: arnOf(key), Signature, SigningAlgorithm };
  },
});
