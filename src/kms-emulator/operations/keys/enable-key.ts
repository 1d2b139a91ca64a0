/** EnableKey: a Disabled key can be used again. */
import { operation } from "../../framework/operation.ts";
import { structure } from "../../framework/validation.ts";
import { changeKey } from "../change-key.ts";
import { requireCustomerKey } from "../key-reference.ts";
import { requireState } from "../key-state.ts";
import { keyId } from "../request-members.ts";

export const enableKey = operation({
  service: "kms",
  name: "EnableKey",
  input: structure({ KeyId: keyId }),
  run(context, input) {
    const key = requireCustomerKey(context, input.KeyId, { action: "kms:EnableKey" });
    requireState("EnableKey", key);
    changeKey(context, key, (present) => ({ ...present, state: "Enabled" }));
    return undefined;
  },
});
