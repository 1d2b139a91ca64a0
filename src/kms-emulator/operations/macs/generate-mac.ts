/** GenerateMac: the HMAC of a message. */
import { macOf } from "../../crypto/mac.ts";
import { kmsOperation } from "../../framework/kms-operation.ts";
import { arnOf } from "../../state/records.ts";
import { refuseDryRun } from "../cryptographic-key.ts";
import { requireMacKey } from "./mac-rules.ts";

export const generateMac = kmsOperation({
  name: "GenerateMac",
  run(context, input) {
    const { MacAlgorithm } = input;
    const key = requireMacKey(context, "GenerateMac", input);
    refuseDryRun(input.DryRun);
    const Mac = macOf(context.materialOf(key).secret, MacAlgorithm, input.Message);
    context.noteUse(key, "GenerateMac");
    return { Mac, MacAlgorithm, KeyId: arnOf(key) };
  },
});
