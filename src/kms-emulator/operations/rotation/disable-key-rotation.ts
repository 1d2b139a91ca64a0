/** DisableKeyRotation: no more new key material by itself. */
import { kmsOperation } from "../../framework/kms-operation.ts";
import type { KeyRecord } from "../../state/records.ts";
import { requireCustomerKey } from "../key-reference.ts";
import { requireState } from "../key-state.ts";
import { membersOf, requireNoReplica, requireRotatable } from "./rotation-rules.ts";

const withoutRotation = ({ rotation: _, ...key }: KeyRecord): KeyRecord => key;

export const disableKeyRotation = kmsOperation({
  name: "DisableKeyRotation",
  run(context, input) {
    const key = requireCustomerKey(context, input.KeyId, { action: "kms:DisableKeyRotation" });
    requireRotatable(key);
    requireState("DisableKeyRotation", key);
    requireNoReplica(context, key);
    if (key.rotation === undefined) return undefined;
    context.commit(
      ...membersOf(context, key).map((member) => ({ kind: "put-key", key: withoutRotation(member) }) as const),
    );
    return undefined;
  },
});
