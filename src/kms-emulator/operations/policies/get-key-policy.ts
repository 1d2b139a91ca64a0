/** GetKeyPolicy: the policy of a key as text. */
import { notFound } from "../../exceptions.ts";
import { operation } from "../../framework/operation.ts";
import { structure } from "../../framework/validation.ts";
import { policyTextOf } from "../../policy/default-key-policy.ts";
import { requireKey } from "../key-reference.ts";
import { keyId, policyName } from "../request-members.ts";

export const getKeyPolicy = operation({
  service: "kms",
  name: "GetKeyPolicy",
  input: structure({ KeyId: keyId, PolicyName: policyName }),
  run(context, input) {
    const key = requireKey(context, input.KeyId, { action: "kms:GetKeyPolicy" });
    if ((input.PolicyName ?? "default") !== "default") throw notFound("No such policy exists"); // text [I]
    return { Policy: policyTextOf(key), PolicyName: "default" };
  },
});
