/** GenerateRandom: random bytes. */
import { randomBytes } from "node:crypto";
import { invalid } from "../../exceptions.ts";
import { kmsOperation } from "../../framework/kms-operation.ts";
import { refuseRecipient } from "../cryptographic-key.ts";
import { noSuchKeyStore } from "../custom-key-stores/no-such-key-store.ts";

export const generateRandom = kmsOperation({
  name: "GenerateRandom",
  run(context, input) {
    if (input.NumberOfBytes === undefined) throw invalid("NumberOfBytes is required.");
    context.access.require(context.caller, context.region, { action: "kms:GenerateRandom", resource: "*" });
    if (input.CustomKeyStoreId !== undefined) throw noSuchKeyStore(input.CustomKeyStoreId);
    refuseRecipient(input.Recipient);
    return { Plaintext: randomBytes(input.NumberOfBytes) };
  },
});
