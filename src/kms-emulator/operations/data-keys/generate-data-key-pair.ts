/** GenerateDataKeyPair: a key pair, its private half in plain and under a key. */
import { kmsOperation } from "../../framework/kms-operation.ts";
import { refuseRecipient } from "../cryptographic-key.ts";
import { makeDataKeyPair } from "./data-key-pair.ts";

export const generateDataKeyPair = kmsOperation({
  name: "GenerateDataKeyPair",
  async run(context, input) {
    refuseRecipient(input.Recipient);
    const { privateKey, members } = await makeDataKeyPair(context, "GenerateDataKeyPair", input);
    return { ...members, PrivateKeyPlaintext: privateKey };
  },
});
