/** GetKeyRotationStatus: whether a key is rotated by itself, how often and when next. */
import { kmsOperation } from "../../framework/kms-operation.ts";
import { arnOf, dayMs, type KeyRecord, type RotationSchedule } from "../../state/records.ts";
import { requireKey } from "../key-reference.ts";
import { requireState } from "../key-state.ts";
import { defaultPeriodInDays, requireRotatable } from "./rotation-rules.ts";

/** Keys of AWS services are rotated every year; the emulator does not do it, nor could it be seen. */
function scheduleOf(key: KeyRecord, nowMs: number): RotationSchedule | undefined {
  if (key.keyManager === "CUSTOMER") return key.rotation;
  const periodMs = defaultPeriodInDays * dayMs;
  const passed = Math.floor((nowMs - key.createdAtMs) / periodMs);
  return { periodInDays: defaultPeriodInDays, nextAtMs: key.createdAtMs + (passed + 1) * periodMs };
}

export const getKeyRotationStatus = kmsOperation({
  name: "GetKeyRotationStatus",
  run(context, input) {
    const key = requireKey(context, input.KeyId, { action: "kms:GetKeyRotationStatus", acceptsForeign: true });
    requireRotatable(key);
    requireState("GetKeyRotationStatus", key);
    const isPending = key.state === "PendingDeletion" || key.state === "PendingReplicaDeletion";
    const schedule = isPending ? undefined : scheduleOf(key, context.clock());
    return {
      KeyId: arnOf(key),
      KeyRotationEnabled: schedule !== undefined,
      ...(schedule && {
        RotationPeriodInDays: schedule.periodInDays,
        NextRotationDate: new Date(schedule.nextAtMs),
      }),
    };
  },
});
