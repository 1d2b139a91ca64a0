/**
 * Finding this server's keys at Configure by their tags.
 *
 * Costs what the server has, not what the account has: aliases are listed only when keys may be left that only an alias
 * shows. That is so when nothing is tagged yet, when the tags of a key id tell that the server has run without tag mode,
 * when an alias of ours stands on a key without our tags, and until a migration has come to its end.
 */

import { KeyManagerError, keyManagerError } from "../errors.ts";
import { keyTypeOf } from "../key-type.ts";
import { findKey } from "../keys/find-key.ts";
import { createKeyEntry, type KeyEntry } from "../keys/key-entry.ts";
import { mapBounded } from "../pace/concurrency.ts";
import { isPendingDeletion, type KeyMetadata } from "../ports.ts";
import { readSpireTags, type SpireTags, serverFilter, trustDomainFilter } from "../tags/spire-tags.ts";
import { troubleWith } from "./alias-discovery.ts";
import type { DiscoveredKeys, DuplicateKey, TagDiscoveryContext, UnusableKey } from "./key-discovery.ts";
import { migrate } from "./tag-migration.ts";

const concurrency = 16;

interface TaggedCandidate {
  readonly tags: SpireTags;
  readonly key: KeyMetadata;
}

async function taggedKeys(context: TagDiscoveryContext): Promise<readonly TaggedCandidate[]> {
  const { kms, tagging, identity, signal } = context;
  const found: { keyArn: string; tags: SpireTags }[] = [];
  const filters = [
    trustDomainFilter(identity.trustDomain),
    serverFilter(identity.serverId),
    { key: "spire-active", value: "true" },
  ];
  for await (const page of tagging.getResources(filters, { signal })) {
    for (const item of page.items) {
      const tags = readSpireTags(item);
      if (tags !== undefined) found.push({ keyArn: item.keyArn, tags });
    }
  }
  const candidates = await mapBounded(found, concurrency, async ({ keyArn, tags }) => {
    // The tagging API lags: the key may be deleted already.
    const key = await findKey(kms, keyArn, { signal });
    return key === undefined ? [] : [{ tags, key }];
  });
  return candidates.flat();
}

/** What there is under one key id: the keys that carry its tags, and the key that its alias stands on. */
interface Slot {
  readonly keyId: string;
  readonly aliasName: string;
  readonly tagged: readonly TaggedCandidate[];
  readonly target: KeyMetadata | undefined;
}

/**
 * The key ids of SPIRE's CA journal. A key that was made a moment before a restart, or while tag mode was off for a short
 * time, may not be among the tagged ones yet: the tagging API lags. Losing one of these would cost a certificate authority.
 */
const journalKeyIds = ["x509-CA", "JWT-Signer", "WIT-Signer"].flatMap((name) => [`${name}-A`, `${name}-B`]);

/** Aliases are asked for by name, never listed. */
async function slotsOf(candidates: readonly TaggedCandidate[], context: TagDiscoveryContext): Promise<readonly Slot[]> {
  const tagged = new Map<string, TaggedCandidate[]>(journalKeyIds.map((keyId) => [keyId, []]));
  for (const candidate of candidates) {
    const { keyId } = candidate.tags;
    tagged.set(keyId, [...(tagged.get(keyId) ?? []), candidate]);
  }
  const { kms, names, signal } = context;
  return mapBounded([...tagged], concurrency, async ([keyId, all]) => {
    const aliasName = names.aliasFor(keyId);
    const target = await findKey(kms, aliasName, { signal });
    const isForeign = target !== undefined && names.isForeignDescription(target.description);
    return { keyId, aliasName, tagged: all, target: isForeign ? undefined : target };
  });
}

const isUsable = (key: KeyMetadata): boolean => troubleWith(key, undefined) === undefined;

/**
 * Of the keys under one id the one that the alias stands on, else the newest: only one is in use. A key behind the alias that
 * was disabled is not passed over silently.
 */
function chosenOf({ tagged, target }: Slot): TaggedCandidate | undefined {
  const usable = tagged.filter(({ key }) => isUsable(key));
  const byAlias = usable.find(({ key }) => key.arn === target?.arn);
  if (byAlias !== undefined) return byAlias;
  if (target !== undefined && !isPendingDeletion(target)) return undefined;
  return usable.toSorted((a, b) => (b.key.creationDate?.getTime() ?? 0) - (a.key.creationDate?.getTime() ?? 0))[0];
}

interface Finding {
  readonly entries: readonly KeyEntry[];
  readonly unusable: readonly UnusableKey[];
  readonly duplicates: readonly DuplicateKey[];
}

async function examine(slot: Slot, context: TagDiscoveryContext): Promise<Finding> {
  const { keyId, aliasName, tagged, target } = slot;
  const chosen = chosenOf(slot);
  const keyType = chosen && keyTypeOf(chosen.key.keySpec);
  if (chosen === undefined || keyType === undefined) {
    const keys = new Map([...tagged.map(({ key }) => key), ...(target ? [target] : [])].map((key) => [key.arn, key]));
    const unusable = [...keys.values()].flatMap((key) => {
      const trouble = troubleWith(key, key.arn === target?.arn ? aliasName : undefined);
      return trouble === undefined
        ? []
        : [{ aliasName, keyArn: key.arn, trouble, isCreating: key.keyState === "Creating" }];
    });
    return { entries: [], unusable, duplicates: [] };
  }
  const { key } = chosen;
  const { pkixData } = await context.kms.getPublicKey(key.arn, { signal: context.signal });
  const others = tagged.filter((other) => other !== chosen && isUsable(other.key));
  if (others.length > 0) {
    context.log.warn("Several keys carry the tags of one key id", {
      key_id: keyId,
      used: key.arn,
      left_out: others.map((other) => other.key.arn),
    });
  }
  const isChosenByAlias = key.arn === target?.arn;
  const duplicates = others.map((other) => ({ key: other.key, chosen: key, isChosenByAlias }));
  return {
    entries: [createKeyEntry({ keyId, keyType, keyArn: key.arn, aliasName, pkixData, multiRegion: key.multiRegion })],
    unusable: [],
    duplicates,
  };
}

/** Whether keys may exist that only aliases show. */
function mayHaveUntaggedKeys(
  slots: readonly Slot[],
  candidates: readonly TaggedCandidate[],
  { clock, freshTagMs }: TagDiscoveryContext,
): boolean {
  const oldest = clock.now().getTime() - freshTagMs;
  const isFresh = ({ tags, key }: TaggedCandidate) =>
    key.keyState === "Enabled" && (tags.lastUpdate?.getTime() ?? 0) >= oldest;
  const lacksFreshKey = ({ tagged }: Slot) => tagged.length > 0 && !tagged.some(isFresh);
  const standsElsewhere = ({ tagged, target }: Slot) =>
    target !== undefined && isUsable(target) && !tagged.some(({ key }) => key.arn === target.arn);
  return candidates.length === 0 || slots.some((slot) => lacksFreshKey(slot) || standsElsewhere(slot));
}

/** A key without its alias shows only those that read tags that it is in use: so the refresh must come at once. */
function longestSinceRefreshMs(slots: readonly Slot[], entries: ReadonlyMap<string, KeyEntry>, now: Date): number {
  const times = slots.flatMap(({ keyId, tagged, target }) => {
    const keyArn = entries.get(keyId)?.keyArn;
    if (keyArn === undefined) return [];
    if (keyArn !== target?.arn) return [Number.POSITIVE_INFINITY];
    return tagged.map(({ tags }) => now.getTime() - (tags.lastUpdate ?? now).getTime());
  });
  return Math.max(0, ...times);
}

/**
 * Finds the keys tagged as this server's, and tags those that so far only an alias shows.
 *
 * @throws KeyManagerError when AWS refuses, cannot be reached, or answers with nonsense
 */
export async function discoverByTags(context: TagDiscoveryContext): Promise<DiscoveredKeys> {
  try {
    const candidates = await taggedKeys(context);
    const slots = await slotsOf(candidates, context);
    const findings = await mapBounded(slots, concurrency, (slot) => examine(slot, context));
    const entries = new Map(findings.flatMap((finding) => finding.entries).map((entry) => [entry.keyId, entry]));
    const found = {
      entries,
      unusable: findings.flatMap(({ unusable }) => unusable),
      duplicates: findings.flatMap(({ duplicates }) => duplicates),
      sinceRefreshMs: longestSinceRefreshMs(slots, entries, context.clock.now()),
    };
    return mayHaveUntaggedKeys(slots, candidates, context) ? await migrate(found, slots, context) : found;
  } catch (error) {
    if (error instanceof KeyManagerError) throw error;
    throw keyManagerError("failed to find keys by their tags", error);
  }
}
