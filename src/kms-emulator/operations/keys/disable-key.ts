/** DisableKey: a key that cannot be used until it is enabled again. */
import { operation } from "../../framework/operation.ts";
import { structure } from "../../framework/validation.ts";
import { changeKey } from "../change-key.ts";
import { requireCustomerKey } from "../key-reference.ts";
import { requireState } from "../key-state.ts";
import { keyId } from "../request-members.ts";

export const disableKey = operation({
  service: "kms",
  name: "DisableKey",
  input: structure({ KeyId: keyId }),
  run(context, input) {
    const key = requireCustomerKey(context, input.KeyId, { action: "kms:DisableKey" });
    requireState("DisableKey", key);
    changeKey(context, key, (present) => ({ ...present, state: "Disabled" }));
    return undefined;
  },
});
