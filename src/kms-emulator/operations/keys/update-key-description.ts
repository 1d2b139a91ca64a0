import { operation } from "../../context.ts";
import { requireCustomerKey } from "../../state/key-reference.ts";
import { requireState } from "../../state/key-state.ts";
import { structure } from "../../validation.ts";
import { keyId, requiredDescription } from "../members.ts";
import { changeKey } from "./change-key.ts";

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
