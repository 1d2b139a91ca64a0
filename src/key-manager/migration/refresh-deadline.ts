/** What the dates of aliases tell about the servers that use them: pure. */
import type { MigrationNames, NamedKey, Standing } from "./compare-names.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** Servers of a trust domain take an alias for forgotten that nobody has refreshed for so long. */
const forgottenAfterMs = 14 * 24 * hourMs;
/** They refresh every six hours. */
const lastSignMs = 7 * hourMs;

const sidesOf = (standing: Standing): readonly NamedKey[] => [
  ...("from" in standing ? [standing.from] : []),
  ...("to" in standing && standing.to !== undefined ? [standing.to] : []),
];

/** When the first alias of a usable key is forgotten unless somebody refreshes it; undefined when none can be. */
export function refreshDeadline(standings: readonly Standing[], { from, to }: MigrationNames): Date | undefined {
  const refreshedAt = standings.flatMap(sidesOf).flatMap(({ aliasName, fingerprint, refreshedAt }) => {
    const isPruned = from.isTrustDomainAlias(aliasName) || to.isTrustDomainAlias(aliasName);
    return isPruned && fingerprint !== undefined && refreshedAt !== undefined ? [refreshedAt.getTime()] : [];
  });
  return refreshedAt.length === 0 ? undefined : new Date(Math.min(...refreshedAt) + forgottenAfterMs);
}

/** Whether the server has moved before its old names go. */
export function finishWarnings(standings: readonly Standing[], now: Date, { from }: MigrationNames): readonly string[] {
  const both = standings.filter((standing) => standing.kind === "both");
  const wasRefreshed = ({ addedAt, refreshedAt }: NamedKey) =>
    addedAt !== undefined && refreshedAt !== undefined && refreshedAt.getTime() - addedAt.getTime() > minuteMs;
  const isRefreshed = (key: NamedKey) =>
    from.isTrustDomainAlias(key.aliasName) &&
    wasRefreshed(key) &&
    now.getTime() - (key.refreshedAt?.getTime() ?? 0) < lastSignMs;
  const warnings: string[] = [];
  const hasMoved = standings.some(({ kind }) => kind === "rotated-new" || kind === "new");
  if (both.length > 0 && !hasMoved && !both.some(({ to }) => wasRefreshed(to))) {
    warnings.push("no server has refreshed the new aliases yet: make sure that the server runs with its new names");
  }
  if (both.some(({ from: old }) => isRefreshed(old))) {
    warnings.push("a server refreshed the old aliases within the last hours: make sure that it does not run any more");
  }
  return warnings;
}
