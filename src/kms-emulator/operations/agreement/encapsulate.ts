/** Encapsulate: a shared secret and the form in which only this key can read it. */
import { encapsulate as encapsulateFor } from "../../crypto/post-quantum/ml-kem.ts";
import { kmsOperation } from "../../framework/kms-operation.ts";
import { arnOf } from "../../state/records.ts";
import { refuseDryRun } from "../cryptographic-key.ts";
import { requireEncapsulationKey } from "./encapsulation-key.ts";

export const encapsulate = kmsOperation({
  name: "Encapsulate",
  run(context, input) {
    const { key, parameterSet } = requireEncapsulationKey(context, "Encapsulate", input);
    refuseDryRun(input.DryRun);
    const { sharedSecret, ciphertext } = encapsulateFor(parameterSet, context.materialOf(key).secret);
    context.noteUse(key, "Encapsulate");
    return {
      KeyId: arnOf(key),
      SharedSecret: sharedSecret,
      SharedSecretCiphertextBlob: ciphertext,
      EncapsulationAlgorithm: input.EncapsulationAlgorithm,
    };
  },
});
