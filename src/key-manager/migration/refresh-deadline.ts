/** What the dates of aliases tell about the servers that use them: pure. */
import type { ComparedKey, MigrationNames, NamedKey } from "./compare-names.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** Servers of a trust domain take an alias for stale that no server has refreshed for so long. */
const staleAfterMs = 14 * 24 * hourMs;
/** They refresh every six hours. */
const lastSignMs = 7 * hourMs;

const sidesOf = (comparedKey: ComparedKey): readonly NamedKey[] => [
  ...("from" in comparedKey ? [comparedKey.from] : []),
  ...("to" in comparedKey && comparedKey.to !== undefined ? [comparedKey.to] : []),
];

/** When the first alias of a usable key becomes stale unless a server refreshes it; undefined when none can be. */
export function refreshDeadline(comparedKeys: readonly ComparedKey[], { from, to }: MigrationNames): Date | undefined {
  const refreshedAt = comparedKeys.flatMap(sidesOf).flatMap(({ aliasName, fingerprint, refreshedAt }) => {
    const isPruned = from.isTrustDomainAlias(aliasName) || to.isTrustDomainAlias(aliasName);
    return isPruned && fingerprint !== undefined && refreshedAt !== undefined ? [refreshedAt.getTime()] : [];
  });
  return refreshedAt.length === 0 ? undefined : new Date(Math.min(...refreshedAt) + staleAfterMs);
}

/** Whether the server has moved before its old names go. */
export function finishWarnings(
  comparedKeys: readonly ComparedKey[],
  now: Date,
  { from }: MigrationNames,
): readonly string[] {
  const both = comparedKeys.filter((comparedKey) => comparedKey.kind === "both");
  const wasRefreshed = ({ addedAt, refreshedAt }: NamedKey) =>
    addedAt !== undefined && refreshedAt !== undefined && refreshedAt.getTime() - addedAt.getTime() > minuteMs;
  const isRefreshed = (key: NamedKey) =>
    from.isTrustDomainAlias(key.aliasName) &&
    wasRefreshed(key) &&
    now.getTime() - (key.refreshedAt?.getTime() ?? 0) < lastSignMs;
  const warnings: string[] = [];
  const hasMoved = comparedKeys.some(({ kind }) => kind === "rotated-new" || kind === "new");
  if (both.length > 0 && !hasMoved && !both.some(({ to }) => wasRefreshed(to))) {
    warnings.push("no server has refreshed the new aliases yet: make sure that the server runs with its new names");
  }
  if (both.some(({ from: old }) => isRefreshed(old))) {
    warnings.push("a server refreshed the old aliases within the last hours: make sure that it does not run any more");
  }
  return warnings;
}
