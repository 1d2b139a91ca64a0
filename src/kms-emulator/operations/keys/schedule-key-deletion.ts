/** ScheduleKeyDeletion: starts the waiting period of a key. */
import { invalid } from "../../exceptions.ts";
import type { OperationContext } from "../../framework/context.ts";
import { kmsOperation } from "../../framework/kms-operation.ts";
import { arnOf, dayMs, type KeyRecord } from "../../state/records.ts";
import { changeKey } from "../change-key.ts";
import { requireCustomerKey } from "../key-reference.ts";
import { requireState } from "../key-state.ts";

/** A primary that still has replicas waits for them, and its own waiting period starts only then. */
function hasReplicas(context: OperationContext, key: KeyRecord): boolean {
  const set = key.isMultiRegion ? context.view.multiRegionSet(key.keyId) : undefined;
  return set !== undefined && set.primaryRegion === key.region && set.replicaRegions.length > 0;
}

export const scheduleKeyDeletion = kmsOperation({
  name: "ScheduleKeyDeletion",
  run(context, input) {
    const pendingWindowInDays = input.PendingWindowInDays ?? 30;
    if (pendingWindowInDays < 7 || pendingWindowInDays > 30) {
      throw invalid("PendingWindowInDays must be between 7 and 30");
    }
    const key = requireCustomerKey(context, input.KeyId, {
      action: "kms:ScheduleKeyDeletion",
      conditions: { "kms:ScheduleKeyDeletionPendingWindowInDays": String(pendingWindowInDays) },
    });
    requireState("ScheduleKeyDeletion", key);
    const dueAtMs = context.clock() + pendingWindowInDays * dayMs;
    const isWaiting = hasReplicas(context, key);
    const changed = changeKey(context, key, ({ dueAtMs: _, ...present }) =>
      isWaiting
        ? { ...present, state: "PendingReplicaDeletion", pendingWindowInDays }
        : { ...present, state: "PendingDeletion", pendingWindowInDays, dueAtMs },
    );
    return {
      KeyId: arnOf(key),
      ...(isWaiting ? {} : { DeletionDate: new Date(dueAtMs) }),
      KeyState: changed.state,
      PendingWindowInDays: pendingWindowInDays,
    };
  },
});
