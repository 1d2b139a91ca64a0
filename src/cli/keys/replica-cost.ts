/** What `replica_regions` makes of the cost of this server's keys. */
import { type KeyRow, keyPriceUsd } from "../../key-manager/inventory/key-row.ts";

export interface ReplicaCost {
  /** A month, with the members that there are. */
  readonly nowUsd: number;
  /** Once each key has one in every Region of `replica_regions`; members that others made stay. */
  readonly withAllUsd: number;
  readonly withoutUsd: number;
  readonly replicaRegions: readonly string[];
}

/** @returns undefined where there is nothing to say: no key of this server has or gets members */
export function replicaCostOf(rows: readonly KeyRow[], replicaRegions: readonly string[]): ReplicaCost | undefined {
  const own = rows.filter((row) => row.isOwnServer && row.class === "in use");
  if (own.length === 0 || (replicaRegions.length === 0 && own.every(({ members }) => members.length === 0))) {
    return undefined;
  }
  const members = own.flatMap((row) => row.members);
  const others = members.filter(({ isLookedAfter }) => !isLookedAfter);
  const sum = (costs: readonly { readonly monthlyCostUsd: number }[]) =>
    costs.reduce((total, { monthlyCostUsd }) => total + monthlyCostUsd, 0);
  const withoutUsd = own.length * keyPriceUsd;
  return {
    nowUsd: withoutUsd + sum(members),
    withAllUsd: withoutUsd * (1 + replicaRegions.length) + sum(others),
    withoutUsd,
    replicaRegions,
  };
}

const dollars = (amount: number): string => `$${amount.toLocaleString("en-US", { minimumFractionDigits: 2 })}`;

export function replicaCostText({ nowUsd, withAllUsd, withoutUsd, replicaRegions }: ReplicaCost): string {
  const now = `this server's keys in use, with replicas: ${dollars(nowUsd)} a month`;
  return replicaRegions.length === 0
    ? `${now}, and ${dollars(withoutUsd)} without`
    : `${now}; ${dollars(withAllUsd)} once each has one in ${replicaRegions.join(", ")}, and ${dollars(withoutUsd)} without replicas`;
}
