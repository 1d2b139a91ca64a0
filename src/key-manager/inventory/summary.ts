/** An inventory in numbers. */
import type { InventorySummary } from "./inventory.ts";
import type { MemberCondition } from "./key-member.ts";
import type { KeyClass, KeyRow } from "./key-row.ts";

type Given = Pick<
  InventorySummary,
  "now" | "foreignKeys" | "namelessNotLookedAt" | "membersNotLookedAt" | "keysInRegion" | "isComplete"
>;

export function summaryOf(rows: readonly KeyRow[], given: Given): InventorySummary {
  const byClass: Record<KeyClass, number> = {
    "in use": 0,
    stale: 0,
    orphaned: 0,
    duplicated: 0,
    unusable: 0,
    "pending deletion": 0,
    foreign: 0,
    unknown: 0,
  };
  const servers = new Set<string>();
  const members: Record<MemberCondition, number> = {
    ready: 0,
    pending: 0,
    missing: 0,
    unusable: 0,
    conflict: 0,
    "single-Region": 0,
    unknown: 0,
  };
  let monthlyCostUsd = 0;
  let membersMonthlyCostUsd = 0;
  let prunable = 0;
  for (const row of rows) {
    byClass[row.class]++;
    if (row.class !== "foreign") monthlyCostUsd += row.monthlyCostUsd;
    if (row.class !== "foreign" && row.serverId !== undefined) servers.add(row.serverId);
    if (row.prune?.kind === "goes") prunable++;
    for (const member of row.members) {
      members[member.condition]++;
      membersMonthlyCostUsd += member.monthlyCostUsd;
    }
  }
  const counts = { byClass, keys: rows.length, servers: servers.size, monthlyCostUsd, prunable };
  return { ...given, ...counts, members, membersMonthlyCostUsd };
}
