import { operation } from "../context.ts";
import { requireCustomerKey } from "../key-reference.ts";
import { requireState } from "../key-state.ts";
import { structure } from "../validation.ts";
import { changeKey } from "./change-key.ts";
import { keyId, requiredDescription } from "./members.ts";

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
