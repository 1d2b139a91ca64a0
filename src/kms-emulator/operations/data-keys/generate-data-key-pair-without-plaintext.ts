/** GenerateDataKeyPairWithoutPlaintext: a key pair, its private half only under a key. */
import { kmsOperation } from "../../framework/kms-operation.ts";
import { makeDataKeyPair } from "./data-key-pair.ts";

export const generateDataKeyPairWithoutPlaintext = kmsOperation({
  name: "GenerateDataKeyPairWithoutPlaintext",
  async run(context, input) {
    return (await makeDataKeyPair(context, "GenerateDataKeyPairWithoutPlaintext", input)).members;
  },
});
