/** UpdateKeyDescription: replaces the description of a key. */
import { kmsOperation } from "../../framework/kms-operation.ts";
import { changeKey } from "../change-key.ts";
import { requireCustomerKey } from "../key-reference.ts";
import { requireState } from "../key-state.ts";

export const updateKeyDescription = kmsOperation({
  name: "UpdateKeyDescription",
  run(context, input) {
    const key = requireCustomerKey(context, input.KeyId, { action: "kms:UpdateKeyDescription" });
    requireState("UpdateKeyDescription", key);
    changeKey(context, key, (present) => ({ ...present, description: input.Description }));
    return undefined;
  },
});
