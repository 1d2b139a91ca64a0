/** Decrypt: the plaintext of a ciphertext, whose key a symmetric one names itself. */
import { kmsOperation } from "../../framework/kms-operation.ts";
import { arnOf } from "../../state/records.ts";
import { refuseDryRun, refuseRecipient } from "../cryptographic-key.ts";
import { decrypt as open, requireCiphertext } from "./decryption.ts";
import { materialIdMember } from "./encryption-rules.ts";

export const decrypt = kmsOperation({
  name: "Decrypt",
  run(context, input) {
    const { EncryptionAlgorithm = "SYMMETRIC_DEFAULT" } = input;
    const ciphertext = requireCiphertext(input.CiphertextBlob, input.DryRun, input.DryRunModifiers);
    const { key, plaintext, materialId } = open(context, {
      operation: "Decrypt",
      action: "kms:Decrypt",
      keyId: input.KeyId,
      ciphertext,
      algorithm: EncryptionAlgorithm,
      encryptionContext: input.EncryptionContext,
      grantTokens: input.GrantTokens,
      conditions: { "kms:EncryptionAlgorithm": EncryptionAlgorithm },
    });
    refuseRecipient(input.Recipient);
    refuseDryRun(input.DryRun);
    context.noteUse(key, "Decrypt");
    return {
      KeyId: arnOf(key),
      Plaintext: plaintext,
      EncryptionAlgorithm,
      ...materialIdMember("KeyMaterialId", key, materialId),
    };
  },
});
