/** From alias mode to tag mode. */
import { explain, KeyManagerError } from "../errors.ts";
import type { KeyEntry } from "../keys/key-entry.ts";
import { Pacer } from "../pace/pacer.ts";
import { isKmsError, type KeyMetadata } from "../ports.ts";
import { notFreshDate, spireTags } from "../tags/spire-tags.ts";
import { tagWithoutWaiting } from "../tags/tag-mode.ts";
import { discoverBehind, discoverByAlias } from "./alias-discovery.ts";
import type { DiscoveredKeys, TagDiscoveryContext } from "./key-discovery.ts";

/** KMS allows 10 TagResource a second, for the whole account. */
const tagsPerSecond = 8;

/** An alias of ours that was asked for by its name, and what it stands on. */
export interface NamedAlias {
  readonly aliasName: string;
  readonly target: KeyMetadata | undefined;
}

/**
 * Tags keys that were found by their alias only.
 *
 * At first with a date that does not pass for fresh: should we be stopped before the last of them is tagged, the
 * next start looks at the aliases again. The refresh of the tags, which comes when all are done, puts the date right.
 *
 * A key that cannot be tagged now is used all the same: the refresh goes on with it, and leaves the dates as they are until
 * it has come to its end.
 */
export async function migrate(
  tagged: DiscoveredKeys,
  aliases: readonly NamedAlias[],
  context: TagDiscoveryContext,
): Promise<DiscoveredKeys> {
  const byAlias = await allBehindAliases(aliases, context);
  const merged = new Map<string, KeyEntry>(tagged.entries);
  const found: KeyEntry[] = [];
  for (const [keyId, entry] of byAlias.entries) {
    // The alias is the older witness: where both exist and differ, it was moved while tag mode was off.
    if (merged.get(keyId)?.keyArn === entry.keyArn) continue;
    found.push(entry);
    merged.set(keyId, entry);
  }
  const untagged = await tagAll(found, context);
  const usedAliases = new Set([...merged.values()].map(({ aliasName }) => aliasName));
  const reported = new Set(byAlias.unusable.map(({ aliasName }) => aliasName));
  const others = tagged.unusable.filter(({ aliasName }) => !usedAliases.has(aliasName) && !reported.has(aliasName));
  return {
    ...byAlias,
    entries: merged,
    untagged,
    unusable: [...byAlias.unusable, ...others],
    duplicates: tagged.duplicates ?? [],
    // What has no tags yet is to be tagged soon.
    sinceRefreshMs:
      untagged.size > 0 ? Number.POSITIVE_INFINITY : Math.max(tagged.sinceRefreshMs, byAlias.sinceRefreshMs),
  };
}

const isListingDenied = (error: unknown): boolean =>
  error instanceof KeyManagerError &&
  isKmsError(error.cause, "ACCESS_DENIED") &&
  error.cause.operation === "ListAliases";

/** Who may not list aliases has those that it can name: a server that was always in tag mode has no others. */
async function allBehindAliases(aliases: readonly NamedAlias[], context: TagDiscoveryContext): Promise<DiscoveredKeys> {
  try {
    return await discoverByAlias(context);
  } catch (error) {
    if (!isListingDenied(error)) throw error;
    context.log.warn("Aliases may not be listed: keys without tags are looked for under SPIRE's usual key ids only", {
      reason: explain((error as KeyManagerError).cause),
    });
    const named = aliases.flatMap(({ aliasName, target }) =>
      target === undefined ? [] : [{ aliasName, targetKeyId: target.keyId }],
    );
    return discoverBehind(named, context);
  }
}

/** @returns ids of the keys that are not tagged yet */
async function tagAll(entries: readonly KeyEntry[], context: TagDiscoveryContext): Promise<ReadonlySet<string>> {
  const { identity, clock, freshTagMs, log, signal } = context;
  const pacer = new Pacer(clock, tagsPerSecond);
  const untagged = new Set(entries.map(({ keyId }) => keyId));
  let failure: unknown;
  for (const { keyId, keyArn, aliasName } of entries) {
    await pacer.turn(signal);
    const tags = spireTags(identity, keyId, notFreshDate(clock.now(), freshTagMs));
    const outcome = await tagWithoutWaiting(keyArn, tags, context);
    if (outcome === "tagged") {
      untagged.delete(keyId);
      log.info("Key found by its alias is tagged now", { key_id: keyId, key_arn: keyArn, alias_name: aliasName });
      continue;
    }
    failure ??= outcome.error;
    if (outcome.isPassing) break;
  }
  if (untagged.size > 0) {
    log.warn(
      "Keys found by their aliases could not be tagged yet: they are used, and the refresh of the tags tries again",
      {
        key_ids: [...untagged],
        reason: explain(failure),
      },
    );
  }
  return untagged;
}
