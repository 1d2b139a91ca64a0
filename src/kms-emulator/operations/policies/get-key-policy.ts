/** GetKeyPolicy: the policy of a key as text. */
import { notFound } from "../../exceptions.ts";
import { kmsOperation } from "../../framework/kms-operation.ts";
import { policyTextOf } from "../../policy/default-key-policy.ts";
import { requireKey } from "../key-reference.ts";

export const getKeyPolicy = kmsOperation({
  name: "GetKeyPolicy",
  run(context, input) {
    const key = requireKey(context, input.KeyId, { action: "kms:GetKeyPolicy" });
    if ((input.PolicyName ?? "default") !== "default") throw notFound("No such policy exists"); // text [I]
    return { Policy: policyTextOf(key), PolicyName: "default" };
  },
});
