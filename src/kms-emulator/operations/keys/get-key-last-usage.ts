/** GetKeyLastUsage: the last successful cryptographic operation with a key. */
import { kmsOperation } from "../../framework/kms-operation.ts";
import type { KeyUse } from "../../state/last-usage.ts";
import { requireKey } from "../key-reference.ts";
import { requireState } from "../key-state.ts";

const usageData = (use: KeyUse): object => ({
  Operation: use.operation,
  Timestamp: new Date(use.atMs),
  CloudTrailEventId: use.eventId,
  KmsRequestId: use.requestId,
});

export const getKeyLastUsage = kmsOperation({
  name: "GetKeyLastUsage",
  run(context, input) {
    const key = requireKey(context, input.KeyId, { action: "kms:GetKeyLastUsage" });
    requireState("GetKeyLastUsage", key);
    const { lastUsage } = context;
    const use = lastUsage.of(key);
    return {
      KeyId: key.keyId, // the bare id, as in the example of AWS's model
      KeyLastUsage: use ? usageData(use) : {},
      TrackingStartDate: new Date(lastUsage.startMs(key)),
      KeyCreationDate: new Date(key.createdAtMs),
    };
  },
});
