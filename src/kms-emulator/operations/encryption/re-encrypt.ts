/** ReEncrypt: a ciphertext under another key, or another context, without showing the plaintext. */
import { kmsOperation } from "../../framework/kms-operation.ts";
import { arnOf } from "../../state/records.ts";
import { refuseDryRun, requireCryptographicKey } from "../cryptographic-key.ts";
import { decrypt, requireCiphertext } from "./decryption.ts";
import { encryptUnder, materialIdMember, requireEncryptionKey, requireFittingPlaintext } from "./encryption-rules.ts";

export const reEncrypt = kmsOperation({
  name: "ReEncrypt",
  run(context, input) {
    const { SourceEncryptionAlgorithm = "SYMMETRIC_DEFAULT", DestinationEncryptionAlgorithm = "SYMMETRIC_DEFAULT" } =
      input;
    const ciphertext = requireCiphertext(input.CiphertextBlob, input.DryRun, input.DryRunModifiers);
    const source = decrypt(context, {
      operation: "ReEncrypt",
      action: "kms:ReEncryptFrom",
      keyId: input.SourceKeyId,
      ciphertext,
      algorithm: SourceEncryptionAlgorithm,
      encryptionContext: input.SourceEncryptionContext,
      grantTokens: input.GrantTokens,
      conditions: { "kms:EncryptionAlgorithm": SourceEncryptionAlgorithm },
    });
    const encryptionContext = input.DestinationEncryptionContext;
    const key = requireCryptographicKey(context, {
      operation: "ReEncrypt",
      action: "kms:ReEncryptTo",
      keyId: input.DestinationKeyId,
      grantTokens: input.GrantTokens,
      conditions: { "kms:EncryptionAlgorithm": DestinationEncryptionAlgorithm },
      encryptionContext,
    });
    requireEncryptionKey("ReEncrypt", key, DestinationEncryptionAlgorithm, encryptionContext);
    requireFittingPlaintext(key, DestinationEncryptionAlgorithm, source.plaintext);
    refuseDryRun(input.DryRun);
    const CiphertextBlob = encryptUnder(
      context,
      key,
      DestinationEncryptionAlgorithm,
      source.plaintext,
      encryptionContext,
    );
    context.noteUse(source.key, "ReEncrypt");
    context.noteUse(key, "ReEncrypt");
    return {
      CiphertextBlob,
      SourceKeyId: arnOf(source.key),
      KeyId: arnOf(key),
      SourceEncryptionAlgorithm,
      DestinationEncryptionAlgorithm,
      ...materialIdMember("SourceKeyMaterialId", source.key, source.materialId),
      ...materialIdMember("DestinationKeyMaterialId", key, key.materialId),
    };
  },
});
