/** RotateKeyOnDemand: new key material now, or the imported material that waits for it. */
import { AwsException } from "../../exceptions.ts";
import type { OperationContext } from "../../framework/context.ts";
import { kmsOperation } from "../../framework/kms-operation.ts";
import { arnOf, type KeyRecord, versionsOf } from "../../state/records.ts";
import { rotateToPending } from "../../state/rotate.ts";
import { requireCustomerKey } from "../key-reference.ts";
import { requireState } from "../key-state.ts";
import { membersOf, requireNoReplica, requireSymmetric, rotateNow, unsupportedOrigin } from "./rotation-rules.ts";

function requireRoomForRotation(context: OperationContext, key: KeyRecord): void {
  const done = versionsOf(key).filter(({ rotationType }) => rotationType === "ON_DEMAND").length;
  if (done < context.limits.onDemandRotationsPerKey) return;
  throw new AwsException(
    "LimitExceededException",
    `The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: ${arnOf(key)}`, // text [L]
  );
}

/** Imported material must be there in every Region before any of them takes it on. */
function rotateImported(context: OperationContext, key: KeyRecord): void {
  const waiting = versionsOf(key).find(({ isPresent, state }) => isPresent && state === "PENDING_ROTATION");
  if (!waiting) {
    throw new AwsException(
      "KMSInvalidStateException",
      `No available key material pending rotation for the key: ${arnOf(key)}.`,
    );
  }
  context.commit(...rotateToPending(membersOf(context, key), waiting.id, context.clock()));
}

export const rotateKeyOnDemand = kmsOperation({
  name: "RotateKeyOnDemand",
  run(context, input) {
    const key = requireCustomerKey(context, input.KeyId, { action: "kms:RotateKeyOnDemand" });
    requireSymmetric(key);
    if (key.origin === "EXTERNAL" && versionsOf(key).length === 0) throw unsupportedOrigin(key);
    requireState("RotateKeyOnDemand", key);
    requireNoReplica(context, key);
    requireRoomForRotation(context, key);
    if (key.origin === "EXTERNAL") rotateImported(context, key);
    else rotateNow(context, key, "ON_DEMAND");
    return { KeyId: arnOf(key) };
  },
});
