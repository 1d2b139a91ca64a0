/** VerifyMac: whether an HMAC is one of this key. */
import { isMacOf } from "../../crypto/mac.ts";
import { AwsException } from "../../exceptions.ts";
import { kmsOperation } from "../../framework/kms-operation.ts";
import { arnOf } from "../../state/records.ts";
import { refuseDryRun } from "../cryptographic-key.ts";
import { requireMacKey } from "./mac-rules.ts";

export const verifyMac = kmsOperation({
  name: "VerifyMac",
  run(context, input) {
    const { MacAlgorithm } = input;
    const key = requireMacKey(context, "VerifyMac", input);
    if (!isMacOf(context.materialOf(key).secret, MacAlgorithm, input.Message, input.Mac)) {
      throw new AwsException("KMSInvalidMacException"); // no message on the wire
    }
    refuseDryRun(input.DryRun);
    context.noteUse(key, "VerifyMac");
    return { KeyId: arnOf(key), MacValid: true, MacAlgorithm };
  },
});
