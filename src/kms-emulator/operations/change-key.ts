/** Changes the record of a key. */
import type { OperationContext } from "../framework/context.ts";
import type { KeyRecord } from "../state/records.ts";

/** Commits a new version of the present record of `key`, which a lagging read may have shown in an older version. */
export function changeKey(
  context: OperationContext,
  key: KeyRecord,
  change: (present: KeyRecord) => KeyRecord,
): KeyRecord {
  const present = context.viewOf(key.account, key.region).currentKey(key.keyId) ?? key;
  const changed = change(present);
  if (changed !== present) context.commit({ kind: "put-key", key: changed });
  return changed;
}
