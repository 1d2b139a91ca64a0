/** GenerateDataKey: a data key, in plain and under a key. */
import { kmsOperation } from "../../framework/kms-operation.ts";
import { refuseRecipient } from "../cryptographic-key.ts";
import { makeDataKey } from "./data-key.ts";

export const generateDataKey = kmsOperation({
  name: "GenerateDataKey",
  run(context, input) {
    refuseRecipient(input.Recipient);
    const { plaintext, members } = makeDataKey(context, "GenerateDataKey", input);
    return { ...members, Plaintext: plaintext };
  },
});
