/** ScheduleKeyDeletion: starts the waiting period of a key. */
import type { OperationContext } from "../../framework/context.ts";
import { operation } from "../../framework/operation.ts";
import { integer, optional, structure } from "../../framework/validation.ts";
import type { KeyRecord } from "../../state/records.ts";
import { arnOf } from "../../state/records.ts";
import { dayMs } from "../../state/settle.ts";
import { changeKey } from "../change-key.ts";
import { requireCustomerKey } from "../key-reference.ts";
import { requireState } from "../key-state.ts";
import { keyId } from "../request-members.ts";

/** A primary that still has replicas waits for them, and its own waiting period starts only then. */
function hasReplicas(context: OperationContext, key: KeyRecord): boolean {
  const set = key.isMultiRegion ? context.view.multiRegionSet(key.keyId) : undefined;
  return set !== undefined && set.primaryRegion === key.region && set.replicaRegions.length > 0;
}

export const scheduleKeyDeletion = operation({
  service: "kms",
  name: "ScheduleKeyDeletion",
  input: structure({ KeyId: keyId, PendingWindowInDays: optional(integer({ min: 7, max: 30 })) }),
  run(context, input) {
    const pendingWindowInDays = input.PendingWindowInDays ?? 30;
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
