import { operation } from "../../context.ts";
import { notFound } from "../../exceptions.ts";
import { arnOf, requireCustomerKey } from "../../state/key-reference.ts";
import { requireState } from "../../state/key-state.ts";
import { structure } from "../../validation.ts";
import { changeKey } from "../keys/change-key.ts";
import { bypassLockoutCheck, keyId, policyName, requiredPolicy } from "../members.ts";

export const putKeyPolicy = operation({
  service: "kms",
  name: "PutKeyPolicy",
  input: structure({
    KeyId: keyId,
    PolicyName: policyName,
    Policy: requiredPolicy,
    BypassPolicyLockoutSafetyCheck: bypassLockoutCheck,
  }),
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
