/** CancelKeyDeletion: ends the waiting period; the key stays Disabled. */
import { operation } from "../../framework/operation.ts";
import { structure } from "../../framework/validation.ts";
import { arnOf } from "../../state/records.ts";
import { changeKey } from "../change-key.ts";
import { requireCustomerKey } from "../key-reference.ts";
import { requireState } from "../key-state.ts";
import { keyId } from "../request-members.ts";

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
