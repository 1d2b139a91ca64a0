/** CancelKeyDeletion: ends the waiting period; the key stays Disabled, or goes on waiting for its material. */
import { kmsOperation } from "../../framework/kms-operation.ts";
import { arnOf, isWaitingForMaterial } from "../../state/records.ts";
import { changeKey } from "../change-key.ts";
import { requireCustomerKey } from "../key-reference.ts";
import { requireState } from "../key-state.ts";

export const cancelKeyDeletion = kmsOperation({
  name: "CancelKeyDeletion",
  run(context, input) {
    const key = requireCustomerKey(context, input.KeyId, { action: "kms:CancelKeyDeletion" });
    requireState("CancelKeyDeletion", key);
    changeKey(context, key, ({ dueAtMs: _due, pendingWindowInDays: _window, ...present }) => ({
      ...present,
      state: isWaitingForMaterial(present) ? "PendingImport" : "Disabled",
    }));
    return { KeyId: arnOf(key) };
  },
});
