/** Verify: whether a signature is one of this key. */
import { verifyMessage } from "../../crypto/signing.ts";
import { AwsException } from "../../exceptions.ts";
import { kmsOperation } from "../../framework/kms-operation.ts";
import { arnOf } from "../../state/records.ts";
import { refuseDryRun, requireCryptographicKey } from "../cryptographic-key.ts";
import { readMessage, requireSigningKey } from "./signing-rules.ts";

export const verify = kmsOperation({
  name: "Verify",
  run(context, input) {
    const { SigningAlgorithm } = input;
    const type = input.MessageType ?? "RAW";
    const key = requireCryptographicKey(context, {
      operation: "Verify",
      keyId: input.KeyId,
      grantTokens: input.GrantTokens,
      conditions: { "kms:SigningAlgorithm": SigningAlgorithm, "kms:MessageType": type },
    });
    requireSigningKey("Verify", key, SigningAlgorithm);
    const signed = readMessage(key, SigningAlgorithm, type, input.Message);
    if (!verifyMessage(context.materialOf(key), SigningAlgorithm, signed, input.Signature)) {
      throw new AwsException("KMSInvalidSignatureException"); // no message on the wire
    }
    refuseDryRun(input.DryRun);
    context.noteUse(key, "Verify");
    return { KeyId: arnOf(key), SignatureValid: true, SigningAlgorithm };
  },
});
