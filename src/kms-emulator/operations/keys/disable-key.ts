/** DisableKey: a key that cannot be used until it is enabled again. */
import { kmsOperation } from "../../framework/kms-operation.ts";
import { changeKey } from "../change-key.ts";
import { requireCustomerKey } from "../key-reference.ts";
import { requireState } from "../key-state.ts";

export const disableKey = kmsOperation({
  name: "DisableKey",
  run(context, input) {
    const key = requireCustomerKey(context, input.KeyId, { action: "kms:DisableKey" });
    requireState("DisableKey", key);
    changeKey(context, key, (present) => ({ ...present, state: "Disabled" }));
    return undefined;
  },
});
