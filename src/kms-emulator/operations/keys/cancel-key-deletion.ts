import { operation } from "../../context.ts";
import { arnOf, requireCustomerKey } from "../../state/key-reference.ts";
import { requireState } from "../../state/key-state.ts";
import { structure } from "../../validation.ts";
import { keyId } from "../members.ts";
import { changeKey } from "./change-key.ts";

export const cancelKeyDeletion = operation({
  service: "kms",
  name: "CancelKeyDeletion",
  input: structure({ KeyId: keyId }),
  run(context, input) {
    const key = requireCustomerKey(context, input.KeyId, { action: "kms:CancelKeyDeletion" });
    requireState("CancelKeyDeletion", key);
    changeKey(context, key, ({ dueAtMs: _due, pendingWindowInDays: _window, ...present }) => ({
      ...present,
      state: "Disabled",
    }));
    return { KeyId: arnOf(key) };
  },
});
