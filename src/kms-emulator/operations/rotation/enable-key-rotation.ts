/** EnableKeyRotation: new key material by itself every so many days. */
import { kmsOperation } from "../../framework/kms-operation.ts";
import { dayMs, type RotationSchedule } from "../../state/records.ts";
import { requireCustomerKey } from "../key-reference.ts";
import { requireState } from "../key-state.ts";
import { defaultPeriodInDays, membersOf, requireNoReplica, requireRotatable } from "./rotation-rules.ts";

export const enableKeyRotation = kmsOperation({
  name: "EnableKeyRotation",
  run(context, input) {
    const periodInDays = input.RotationPeriodInDays ?? defaultPeriodInDays;
    const key = requireCustomerKey(context, input.KeyId, {
      action: "kms:EnableKeyRotation",
      conditions: { "kms:RotationPeriodInDays": String(periodInDays) },
    });
    requireRotatable(key);
    requireState("EnableKeyRotation", key);
    requireNoReplica(context, key);
    if (key.rotation?.periodInDays === periodInDays) return undefined;
    const rotation: RotationSchedule = { periodInDays, nextAtMs: context.clock() + periodInDays * dayMs };
    context.commit(
      ...membersOf(context, key).map((member) => ({ kind: "put-key", key: { ...member, rotation } }) as const),
    );
    return undefined;
  },
});
