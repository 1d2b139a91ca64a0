/** DeriveSharedSecret: the secret that this key shares with a peer's. */
import { sharedSecretOf } from "../../crypto/agreement.ts";
import { factsOf } from "../../crypto/key-spec.ts";
import { AwsException } from "../../exceptions.ts";
import { kmsOperation } from "../../framework/kms-operation.ts";
import { arnOf } from "../../state/records.ts";
import { refuseDryRun, refuseRecipient, requireCryptographicKey, requireUsage } from "../cryptographic-key.ts";

export const deriveSharedSecret = kmsOperation({
  name: "DeriveSharedSecret",
  run(context, input) {
    const { KeyAgreementAlgorithm } = input;
    const key = requireCryptographicKey(context, {
      operation: "DeriveSharedSecret",
      keyId: input.KeyId,
      grantTokens: input.GrantTokens,
      conditions: { "kms:KeyAgreementAlgorithm": KeyAgreementAlgorithm },
    });
    requireUsage("DeriveSharedSecret", key, "KEY_AGREEMENT");
    const facts = factsOf(key.spec);
    const { secret } = context.materialOf(key);
    const SharedSecret = facts.family === "ec" ? sharedSecretOf(facts.curve, secret, input.PublicKey) : undefined;
    if (SharedSecret === undefined) throw new AwsException("ValidationException"); // no message on the wire
    refuseRecipient(input.Recipient);
    refuseDryRun(input.DryRun);
    context.noteUse(key, "DeriveSharedSecret");
    return { KeyId: arnOf(key), SharedSecret, KeyAgreementAlgorithm, KeyOrigin: key.origin ?? "AWS_KMS" };
  },
});
