/** What `replica_regions` makes of the cost of this server's keys. */
import { type KeyRow, keyPriceUsd } from "../../key-manager/inventory/key-row.ts";

const dollars = (amount: number): string => `$${amount.toLocaleString("en-US", { minimumFractionDigits: 2 })}`;

/** @returns undefined where there is nothing to say: no replicas are configured, or no key of this server is in use */
export function replicaCostText(rows: readonly KeyRow[], replicaRegions: readonly string[]): string | undefined {
  if (replicaRegions.length === 0) return undefined;
  const own = rows.filter((row) => row.isOwnServer && row.class === "in use");
  if (own.length === 0) return undefined;
  const members = own.map(({ region, replicas }) => new Set([region, ...replicas]).size);
  const now = members.reduce((sum, count) => sum + count, 0) * keyPriceUsd;
  const withAll = own.length * (1 + replicaRegions.length) * keyPriceUsd;
  const single = dollars(own.length * keyPriceUsd);
  return `this server's keys in use, with replicas: ${dollars(now)} a month; ${dollars(withAll)} once each has one in ${replicaRegions.join(", ")}, and ${single} without replicas`;
}
