/** What a live server has to have done by now: its aliases refreshed, orphans pruned. */
import { type AliasBook, type Books, bare, type KeyBook, type LiveServer } from "./books.ts";

/** Retries of the deletion queue, pacing, rounds of a refresh, the second look at what a scan finds. */
export const slackMs = 60 * 60_000;
/** A server whose clock is further from KMS's must not prune: it cannot tell any age. */
const maxSkewMs = 15 * 60_000;

export function checkServer(books: Books, live: LiveServer): void {
  const { server, rules, divergedSince } = live;
  const quietSince = Math.max(live.since, live.troubledAt);
  const dueMs = rules.aliasRefreshIntervalMs + rules.scanStartDelayMs + slackMs;
  const diverged = new Set<string>();
  for (const { keyId, aliasName } of books.usesOf(live)) {
    const alias = books.aliases.get(aliasName);
    if (alias?.keyId !== keyId) {
      diverged.add(aliasName);
      const since = divergedSince.get(aliasName) ?? books.now;
      divergedSince.set(aliasName, since);
      if (books.now - Math.max(since, quietSince) > dueMs) {
        books.violation(`${server.identity} uses ${bare(keyId)} while ${aliasName} stands on ${alias?.keyId}`);
      }
    }
    if (alias !== undefined && books.now - Math.max(alias.updatedAt, quietSince) > dueMs) {
      books.violation(`${server.identity} does not refresh ${aliasName}`);
    }
  }
  for (const aliasName of divergedSince.keys()) if (!diverged.has(aliasName)) divergedSince.delete(aliasName);
}

export function checkUnused(books: Books, key: KeyBook): void {
  const found = [...books.aliases].find(([, alias]) => alias.keyId === key.keyId);
  for (const live of books.live.values()) {
    if (live.server.options.trustDomain !== key.trustDomain) continue;
    if (Math.abs(live.server.options.skewMs ?? 0) > maxSkewMs) continue;
    const due = found === undefined ? orphanDue(key, live) : staleAliasDue(found[1], live);
    if (due === undefined) continue;
    const start = Math.max(due, live.since, live.troubledAt);
    const { staleAliasScanIntervalMs, staleKeyScanIntervalMs, scanStartDelayMs } = live.rules;
    const scanMs = found === undefined ? staleKeyScanIntervalMs : staleAliasScanIntervalMs;
    if (books.now > start + scanMs + scanStartDelayMs + slackMs) {
      const what = found === undefined ? "without alias" : `behind ${found[0]}`;
      books.violation(`key ${key.keyId} ${what} is not pruned by ${live.server.identity}`);
      key.isPending = true;
      return;
    }
  }
}

const staleAliasDue = (alias: AliasBook, { server, rules }: LiveServer): number | undefined =>
  alias.identity === server.identity ? undefined : alias.updatedAt + rules.staleAliasThresholdMs;

/** When a key without alias becomes this server's business, if ever. */
function orphanDue({ tags, createdAt, lastUsedAt }: KeyBook, { server, rules }: LiveServer): number | undefined {
  const { staleKeyThresholdMs, staleAliasThresholdMs, isTagMode } = rules;
  if (!isTagMode) return Math.max(createdAt + staleKeyThresholdMs, lastUsedAt);
  // Without ListKeys a key that has no tags cannot be found.
  if (tags.get("spire-server-td") !== server.options.trustDomain) return undefined;
  const skewMs = Math.abs(server.options.skewMs ?? 0);
  if (tags.get("spire-active") !== "true") return lastUsedAt + skewMs;
  const isOwn = tags.get("spire-server-id") === server.options.serverId;
  const keptAt = Math.max(createdAt, Number(tags.get("spire-last-update") ?? 0) * 1000, lastUsedAt);
  return keptAt + skewMs + (isOwn ? staleKeyThresholdMs : staleAliasThresholdMs);
}
