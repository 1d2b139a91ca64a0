import { operation } from "../../context.ts";
import { requireCustomerKey } from "../../state/key-reference.ts";
import { requireState } from "../../state/key-state.ts";
import { structure } from "../../validation.ts";
import { keyId } from "../members.ts";
import { changeKey } from "./change-key.ts";

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
