/** The members of a multi-Region key in other Regions, in words. */
import type { InventorySummary } from "../../key-manager/inventory/inventory.ts";
import { type KeyMember, memberConditions } from "../../key-manager/inventory/key-member.ts";
import type { KeyRow } from "../../key-manager/inventory/key-row.ts";

/** `us-west-2:ready eu-west-1:missing`, for a column. */
export const membersCell = ({ members }: KeyRow): string =>
  members.length === 0 ? "-" : members.map(({ region, condition }) => `${region}:${condition}`).join(" ");

function memberText({ region, role, condition, why, isLookedAfter }: KeyMember, isOwnServer: boolean): string {
  const whose = isOwnServer && !isLookedAfter && condition !== "unknown" ? " (not in replica_regions)" : "";
  return `${role} in ${region}${whose}: ${condition}${why === undefined ? "" : `, ${why}`}`;
}

/** `replica in us-west-2: ready; replica in eu-west-1: missing, it was not made yet` */
export const membersLine = ({ members, isOwnServer }: KeyRow): string =>
  members.map((member) => memberText(member, isOwnServer)).join("; ");

/** `12 in other Regions: 10 ready, 2 missing`; undefined where there are none. */
export function membersTotals({ members }: Pick<InventorySummary, "members">): string | undefined {
  const parts = memberConditions.flatMap((name) =>
    members[name] > 0 ? [`${members[name].toLocaleString("en-US")} ${name}`] : [],
  );
  return parts.length === 0 ? undefined : `in other Regions: ${parts.join(", ")}`;
}
