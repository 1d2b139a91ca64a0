/** Decapsulate: the shared secret that was encapsulated for this key. */
import { decapsulate as decapsulateWith } from "../../crypto/post-quantum/ml-kem.ts";
import { AwsException } from "../../exceptions.ts";
import { kmsOperation } from "../../framework/kms-operation.ts";
import { arnOf } from "../../state/records.ts";
import { refuseDryRun } from "../cryptographic-key.ts";
import { requireEncapsulationKey } from "./encapsulation-key.ts";

export const decapsulate = kmsOperation({
  name: "Decapsulate",
  run(context, input) {
    const { key, parameterSet } = requireEncapsulationKey(context, "Decapsulate", input);
    const { secret } = context.materialOf(key);
    const SharedSecret = decapsulateWith(parameterSet, secret, input.SharedSecretCiphertextBlob);
    if (SharedSecret === undefined) throw new AwsException("InvalidCiphertextException");
    refuseDryRun(input.DryRun);
    context.noteUse(key, "Decapsulate");
    return { KeyId: arnOf(key), SharedSecret, EncapsulationAlgorithm: input.EncapsulationAlgorithm };
  },
});
