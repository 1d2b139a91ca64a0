/** GenerateDataKeyWithoutPlaintext: a data key, only under a key. */
import { kmsOperation } from "../../framework/kms-operation.ts";
import { makeDataKey } from "./data-key.ts";

export const generateDataKeyWithoutPlaintext = kmsOperation({
  name: "GenerateDataKeyWithoutPlaintext",
  run(context, input) {
    return makeDataKey(context, "GenerateDataKeyWithoutPlaintext", input).members;
  },
});
