/** Keys of which only one can be in use. */
import type { KeyRow } from "./key-row.ts";

const slotOf = ({ serverId, spireKeyId }: KeyRow): string | undefined =>
  serverId === undefined || spireKeyId === undefined ? undefined : JSON.stringify([serverId, spireKeyId]);

/**
 * Of several keys that name one id of one server only one is in use: the one that its alias stands on, or the newest.
 *
 * @returns the others, as rows that say so
 */
export function duplicatesAmong(rows: readonly KeyRow[]): readonly KeyRow[] {
  const slots = new Map<string, KeyRow[]>();
  for (const row of rows) {
    const slot = row.class === "in use" || row.class === "stale" ? slotOf(row) : undefined;
    if (slot !== undefined) slots.set(slot, [...(slots.get(slot) ?? []), row]);
  }
  return [...slots.values()].flatMap((rivals) => {
    const [chosen, ...others] = rivals.toSorted(
      (a, b) =>
        Number(b.aliasName !== undefined) - Number(a.aliasName !== undefined) ||
        (b.createdAt?.getTime() ?? 0) - (a.createdAt?.getTime() ?? 0),
    );
    return others.map(
      (row): KeyRow => ({ ...row, class: "duplicated", why: `key ${chosen?.keyId} is the one in use for this id` }),
    );
  });
}
