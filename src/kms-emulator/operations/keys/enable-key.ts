/** EnableKey: a Disabled key can be used again. */
import { kmsOperation } from "../../framework/kms-operation.ts";
import { changeKey } from "../change-key.ts";
import { requireCustomerKey } from "../key-reference.ts";
import { requireState } from "../key-state.ts";
import { rotateIfDue } from "../rotation/rotation-rules.ts";

export const enableKey = kmsOperation({
  name: "EnableKey",
  run(context, input) {
    const key = requireCustomerKey(context, input.KeyId, { action: "kms:EnableKey" });
    requireState("EnableKey", key);
    changeKey(context, key, (present) => ({ ...present, state: "Enabled" }));
    rotateIfDue(context, key);
    return undefined;
  },
});
