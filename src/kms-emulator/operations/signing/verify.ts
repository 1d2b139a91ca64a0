/** Verify: whether a signature is one of this key. */
import { verifyMessage } from "../../crypto/signing.ts";
import { AwsException } from "../../exceptions.ts";
import { operation } from "../../framework/operation.ts";
import { structure } from "../../framework/validation.ts";
import { arnOf } from "../../state/records.ts";
import { requireKey } from "../key-reference.ts";
import { requireState } from "../key-state.ts";
import { dryRun, grantTokens, keyId, message, messageType, signature, signingAlgorithm } from "../request-members.ts";
import { readMessage, refuseDryRun, refuseGrantTokens, requireSigningKey } from "./signing-rules.ts";

export const verify = operation({
  service: "kms",
  name: "Verify",
  input: structure({
    KeyId: keyId,
    Message: message,
    MessageType: messageType,
    Signature: signature,
    SigningAlgorithm: signingAlgorithm,
    GrantTokens: grantTokens,
    DryRun: dryRun,
  }),
  run(context, input) {
    const { SigningAlgorithm } = input;
    const type = input.MessageType ?? "RAW";
    const key = requireKey(context, input.KeyId, {
      action: "kms:Verify",
      acceptsAlias: true,
      acceptsForeign: true,
      conditions: { "kms:SigningAlgorithm": SigningAlgorithm, "kms:MessageType": type },
    });
    refuseGrantTokens(input.GrantTokens);
    requireState("Verify", key);
    requireSigningKey("Verify", key, SigningAlgorithm);
    const signed = readMessage(SigningAlgorithm, type, input.Message);
    if (!verifyMessage(context.materialOf(key), SigningAlgorithm, signed, input.Signature)) {
      throw new AwsException("KMSInvalidSignatureException"); // no message on the wire
    }
    refuseDryRun(input.DryRun);
    context.noteUse(key, "Verify");
    return { KeyId: arnOf(key), SignatureValid: true, SigningAlgorithm };
  },
});
