/** PutKeyPolicy: replaces the policy of a key. */
import { notFound } from "../../exceptions.ts";
import { kmsOperation } from "../../framework/kms-operation.ts";
import { arnOf } from "../../state/records.ts";
import { changeKey } from "../change-key.ts";
import { requireCustomerKey } from "../key-reference.ts";
import { requireState } from "../key-state.ts";

export const putKeyPolicy = kmsOperation({
  name: "PutKeyPolicy",
  run(context, input) {
    const isBypassed = input.BypassPolicyLockoutSafetyCheck ?? false;
    const key = requireCustomerKey(context, input.KeyId, {
      action: "kms:PutKeyPolicy",
      conditions: { "kms:BypassPolicyLockoutSafetyCheck": String(isBypassed) },
    });
    requireState("PutKeyPolicy", key);
    if ((input.PolicyName ?? "default") !== "default") throw notFound("No such policy exists"); // text [I]
    const check = { document: input.Policy, bypassLockoutCheck: isBypassed, keyArn: arnOf(key), key };
    context.access.checkKeyPolicy(context.caller, context.region, check);
    changeKey(context, key, (present) => ({ ...present, policy: input.Policy }));
    return undefined;
  },
});
