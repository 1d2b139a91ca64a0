import { operation } from "../../context.ts";
import { requireCustomerKey } from "../../state/key-reference.ts";
import { requireState } from "../../state/key-state.ts";
import { structure } from "../../validation.ts";
import { keyId } from "../members.ts";
import { changeKey } from "./change-key.ts";

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
