/** Encrypt: a small plaintext under a key. */
import { kmsOperation } from "../../framework/kms-operation.ts";
import { arnOf } from "../../state/records.ts";
import { refuseDryRun, requireCryptographicKey } from "../cryptographic-key.ts";
import { encryptUnder, requireEncryptionKey, requireFittingPlaintext } from "./encryption-rules.ts";

export const encrypt = kmsOperation({
  name: "Encrypt",
  run(context, input) {
    const { EncryptionAlgorithm = "SYMMETRIC_DEFAULT", EncryptionContext: encryptionContext } = input;
    const key = requireCryptographicKey(context, {
      operation: "Encrypt",
      keyId: input.KeyId,
      grantTokens: input.GrantTokens,
      conditions: { "kms:EncryptionAlgorithm": EncryptionAlgorithm },
      encryptionContext,
    });
    requireEncryptionKey("Encrypt", key, EncryptionAlgorithm, encryptionContext);
    requireFittingPlaintext(key, EncryptionAlgorithm, input.Plaintext);
    refuseDryRun(input.DryRun);
    const CiphertextBlob = encryptUnder(context, key, EncryptionAlgorithm, input.Plaintext, encryptionContext);
    context.noteUse(key, "Encrypt");
    return { CiphertextBlob, KeyId: arnOf(key), EncryptionAlgorithm };
  },
});
