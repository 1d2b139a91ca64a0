/** UpdateKeyDescription: replaces the description of a key. */
import { operation } from "../../framework/operation.ts";
import { structure } from "../../framework/validation.ts";
import { changeKey } from "../change-key.ts";
import { requireCustomerKey } from "../key-reference.ts";
import { requireState } from "../key-state.ts";
import { keyId, requiredDescription } from "../request-members.ts";

export const updateKeyDescription = operation({
  service: "kms",
  name: "UpdateKeyDescription",
  input: structure({ KeyId: keyId, Description: requiredDescription }),
  run(context, input) {
    const key = requireCustomerKey(context, input.KeyId, { action: "kms:UpdateKeyDescription" });
    requireState("UpdateKeyDescription", key);
    changeKey(context, key, (present) => ({ ...present, description: input.Description }));
    return undefined;
  },
});
