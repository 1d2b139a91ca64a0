/**
 * Finding this server's keys at Configure by their tags.
 *
 * Costs what the server has, not what the account has: aliases are listed only when keys may be left that only an alias
 * shows. That is so when nothing is tagged yet, when the tags of a key id tell that the server has run without tag mode,
 * when one of SPIRE's own key ids has an alias and no tagged key, and until a migration has come to its end.
 */
import { mapBounded } from "../concurrency.ts";
import { KeyManagerError, keyManagerError } from "../errors.ts";
import { createKeyEntry, type KeyEntry } from "../key-entry.ts";
import { keyTypeOf } from "../key-type.ts";
import { Pacer } from "../pacer.ts";
import { type Clock, isKmsError, type KeyMetadata, type KmsClient, type TaggingClient } from "../ports.ts";
import {
  readSpireTags,
  type SpireTags,
  serverFilter,
  spireTags,
  type TagIdentity,
  trustDomainFilter,
} from "../spire-tags.ts";
import { discoverByAlias, troubleWith } from "./alias-discovery.ts";
import type { DiscoveredKeys, DiscoveryContext, SurplusKey, UnusableKey } from "./key-discovery.ts";

export interface TagDiscoveryContext extends DiscoveryContext {
  readonly kms: KmsClient;
  readonly tagging: TaggingClient;
  readonly identity: TagIdentity;
  readonly clock: Clock;
  /** Tags of a server that runs in tag mode are not older than this. */
  readonly keepAliveMs: number;
}

const concurrency = 16;
/** KMS allows 10 TagResource a second, for the whole account. */
const tagsPerSecond = 8;

interface TaggedCandidate {
  readonly tags: SpireTags;
  readonly key: KeyMetadata;
}

/** @returns the key, undefined when it is gone: the tagging API lags */
async function describe(keyArn: string, { kms, signal }: DiscoveryContext): Promise<KeyMetadata | undefined> {
  try {
    return await kms.describeKey(keyArn, { signal });
  } catch (error) {
    if (isKmsError(error, "NotFound")) return undefined;
    throw error;
  }
}

async function taggedKeys(context: TagDiscoveryContext): Promise<readonly TaggedCandidate[]> {
  const { tagging, identity, signal } = context;
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
    const key = await describe(keyArn, context);
    return key === undefined ? [] : [{ tags, key }];
  });
  return candidates.flat();
}

interface Choice {
  readonly entries: readonly KeyEntry[];
  readonly unusable: readonly UnusableKey[];
  readonly surplus: readonly SurplusKey[];
}

/** The key that the id's alias points to, else the newest: of two keys under one id only one is in use. */
async function chooseKey(keyId: string, candidates: readonly TaggedCandidate[], context: TagDiscoveryContext) {
  const newestFirst = candidates.toSorted(
    (a, b) => (b.key.creationDate?.getTime() ?? 0) - (a.key.creationDate?.getTime() ?? 0),
  );
  if (newestFirst.length < 2) return { chosen: newestFirst[0], isChosenByAlias: false };
  const target = await describe(context.names.aliasFor(keyId), context);
  const byAlias = newestFirst.find(({ key }) => key.arn === target?.arn);
  return { chosen: byAlias ?? newestFirst[0], isChosenByAlias: byAlias !== undefined };
}

function unusableKeys(candidates: readonly TaggedCandidate[], aliasName: string): readonly UnusableKey[] {
  return candidates.map(({ key }) => ({ aliasName, keyArn: key.arn, trouble: troubleWith(key, aliasName) ?? "" }));
}

async function choose(keyId: string, all: readonly TaggedCandidate[], context: TagDiscoveryContext): Promise<Choice> {
  const aliasName = context.names.aliasFor(keyId);
  const usable = all.filter(({ key }) => troubleWith(key, aliasName) === undefined);
  const { chosen, isChosenByAlias } = await chooseKey(keyId, usable, context);
  const keyType = chosen && keyTypeOf(chosen.key.keySpec);
  if (chosen === undefined || keyType === undefined) {
    return { entries: [], unusable: unusableKeys(all, aliasName), surplus: [] };
  }
  const { key } = chosen;
  const { pkixData } = await context.kms.getPublicKey(key.arn, { signal: context.signal });
  const others = usable.filter((other) => other !== chosen);
  if (others.length > 0) {
    context.log.warn("Several keys carry the tags of one key id", {
      key_id: keyId,
      used: key.arn,
      left_out: others.map((other) => other.key.arn),
    });
  }
  const surplus = others.map((other) => ({ key: other.key, chosen: key, isChosenByAlias }));
  return { entries: [createKeyEntry({ keyId, keyType, keyArn: key.arn, aliasName, pkixData })], unusable: [], surplus };
}

/**
 * The key ids of SPIRE's CA journal. A key that was made a moment before a restart, or while tag mode was off for a short
 * time, may not be among the tagged ones yet: the tagging API lags. Losing one of these would cost a certificate authority.
 */
const journalKeyIds = ["x509-CA", "JWT-Signer", "WIT-Signer"].flatMap((name) => [`${name}-A`, `${name}-B`]);

/** Whether keys may exist that only aliases show. */
async function mayHaveUntaggedKeys(
  byKeyId: ReadonlyMap<string, readonly TaggedCandidate[]>,
  context: TagDiscoveryContext,
): Promise<boolean> {
  const oldest = context.clock.now().getTime() - context.keepAliveMs;
  const isKeptAlive = ({ tags, key }: TaggedCandidate) =>
    key.keyState === "Enabled" && (tags.lastUpdate?.getTime() ?? 0) >= oldest;
  if (byKeyId.size === 0 || ![...byKeyId.values()].every((all) => all.some(isKeptAlive))) return true;
  const missing = journalKeyIds.filter((keyId) => !byKeyId.has(keyId));
  const targets = await mapBounded(missing, concurrency, (keyId) => describe(context.names.aliasFor(keyId), context));
  return targets.some((target) => target !== undefined);
}

/**
 * Tags keys that were found by their alias only.
 *
 * At first with a date that does not pass for kept alive: should we be stopped before the last of them is tagged, the
 * next start looks at the aliases again. The refresh of the tags, which comes when all are done, puts the date right.
 */
async function migrate(tagged: DiscoveredKeys, context: TagDiscoveryContext): Promise<DiscoveredKeys> {
  const { kms, identity, clock, keepAliveMs, log, signal } = context;
  const byAlias = await discoverByAlias(context);
  const merged = new Map(tagged.entries);
  const pacer = new Pacer(clock, tagsPerSecond);
  for (const [keyId, entry] of byAlias.entries) {
    // The alias is the older witness: where both exist and differ, it was moved while tag mode was off.
    if (merged.get(keyId)?.keyArn === entry.keyArn) continue;
    const date = new Date(clock.now().getTime() - keepAliveMs - 1_000);
    await pacer.turn(signal);
    await kms.tagResource(entry.keyArn, spireTags(identity, keyId, date), { signal });
    log.info("Key found by its alias is tagged now", {
      key_id: keyId,
      key_arn: entry.keyArn,
      alias_name: entry.aliasName,
    });
    merged.set(keyId, entry);
  }
  const usedAliases = new Set([...merged.values()].map(({ aliasName }) => aliasName));
  const reported = new Set(byAlias.unusable.map(({ aliasName }) => aliasName));
  const others = tagged.unusable.filter(({ aliasName }) => !usedAliases.has(aliasName) && !reported.has(aliasName));
  return {
    ...byAlias,
    entries: merged,
    unusable: [...byAlias.unusable, ...others],
    surplus: tagged.surplus ?? [],
    unattendedMs: Math.max(tagged.unattendedMs, byAlias.unattendedMs),
  };
}

const longestUnattendedMs = (candidates: readonly TaggedCandidate[], now: Date): number =>
  Math.max(0, ...candidates.map(({ tags }) => now.getTime() - (tags.lastUpdate ?? now).getTime()));

/**
 * Finds the keys tagged as this server's, and tags those that so far only an alias shows.
 *
 * @throws KeyManagerError when AWS refuses, cannot be reached, or answers with nonsense
 */
export async function discoverByTags(context: TagDiscoveryContext): Promise<DiscoveredKeys> {
  try {
    const candidates = await taggedKeys(context);
    const byKeyId = new Map<string, TaggedCandidate[]>();
    for (const candidate of candidates) {
      const { keyId } = candidate.tags;
      byKeyId.set(keyId, [...(byKeyId.get(keyId) ?? []), candidate]);
    }
    const choices = await mapBounded([...byKeyId], concurrency, ([keyId, all]) => choose(keyId, all, context));
    const entries = new Map(choices.flatMap((choice) => choice.entries).map((entry) => [entry.keyId, entry]));
    const unusable = choices.flatMap((choice) => choice.unusable);
    const surplus = choices.flatMap((choice) => choice.surplus);
    const unattendedMs = longestUnattendedMs(candidates, context.clock.now());
    const found = { entries, unusable, surplus, unattendedMs };
    return (await mayHaveUntaggedKeys(byKeyId, context)) ? await migrate(found, context) : found;
  } catch (error) {
    if (error instanceof KeyManagerError) throw error;
    throw keyManagerError("failed to find keys by their tags", error);
  }
}
