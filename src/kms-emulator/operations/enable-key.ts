import { operation } from "../context.ts";
import { requireCustomerKey } from "../key-reference.ts";
import { requireState } from "../key-state.ts";
import { structure } from "../validation.ts";
import { changeKey } from "./change-key.ts";
import { keyId } from "./members.ts";

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
