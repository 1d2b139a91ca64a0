/** Sign: a signature over a message or a digest. */
import { signMessage } from "../../crypto/signing.ts";
import { operation } from "../../framework/operation.ts";
import { structure } from "../../framework/validation.ts";
import { arnOf } from "../../state/records.ts";
import { requireKey } from "../key-reference.ts";
import { requireState } from "../key-state.ts";
import { dryRun, grantTokens, keyId, message, messageType, signingAlgorithm } from "../request-members.ts";
import { readMessage, refuseDryRun, refuseGrantTokens, requireSigningKey } from "./signing-rules.ts";

export const sign = operation({
  service: "kms",
  name: "Sign",
  input: structure({
    KeyId: keyId,
    Message: message,
    MessageType: messageType,
    GrantTokens: grantTokens,
    SigningAlgorithm: signingAlgorithm,
    DryRun: dryRun,
  }),
  run(context, input) {
    const { SigningAlgorithm } = input;
    const type = input.MessageType ?? "RAW";
    const key = requireKey(context, input.KeyId, {
      action: "kms:Sign",
      acceptsAlias: true,
      acceptsForeign: true,
      conditions: { "kms:SigningAlgorithm": SigningAlgorithm, "kms:MessageType": type },
    });
    refuseGrantTokens(input.GrantTokens);
    requireState("Sign", key);
    requireSigningKey("Sign", key, SigningAlgorithm);
    const signingInput = readMessage(SigningAlgorithm, type, input.Message);
    refuseDryRun(input.DryRun);
    const Signature = signMessage(context.materialOf(key), SigningAlgorithm, signingInput);
    context.noteUse(key, "Sign");
    return { KeyId: arnOf(key), Signature, SigningAlgorithm };
  },
});
