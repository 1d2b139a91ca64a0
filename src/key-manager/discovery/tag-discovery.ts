/**
 * Finding this server's keys at Configure by their tags.
 *
 * Costs what the server has, not what the account has: no alias is listed unless keys may be left that only an alias
 * shows, which is so when nothing is tagged yet, or when the tags tell that the server has run without tag mode.
 */
import { mapBounded } from "../concurrency.ts";
import { KeyManagerError, keyManagerError } from "../errors.ts";
import { createKeyEntry, type KeyEntry } from "../key-entry.ts";
import { keyTypeOf } from "../key-type.ts";
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
  /** Tags of a server that runs in tag mode are never older than this. */
  readonly keepAliveMs: number;
}

const concurrency = 16;

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

/** The key that the id's alias points to, else the newest: of two keys under one id only one is in use. */
async function chooseKey(
  keyId: string,
  candidates: readonly TaggedCandidate[],
  context: TagDiscoveryContext,
): Promise<TaggedCandidate | undefined> {
  const newestFirst = candidates.toSorted(
    (a, b) => (b.key.creationDate?.getTime() ?? 0) - (a.key.creationDate?.getTime() ?? 0),
  );
  if (newestFirst.length < 2) return newestFirst[0];
  const target = await describe(context.names.aliasFor(keyId), context);
  return newestFirst.find(({ key }) => key.arn === target?.arn) ?? newestFirst[0];
}

interface Choice {
  readonly entries: readonly KeyEntry[];
  readonly unusable: readonly UnusableKey[];
  readonly surplus: readonly SurplusKey[];
}

async function choose(keyId: string, all: readonly TaggedCandidate[], context: TagDiscoveryContext): Promise<Choice> {
  const aliasName = context.names.aliasFor(keyId);
  const usable = all.filter(({ key }) => troubleWith(key, aliasName) === undefined);
  const chosen = await chooseKey(keyId, usable, context);
  if (chosen === undefined) {
    const unusable = all.flatMap(({ key }) => ({
      aliasName,
      keyArn: key.arn,
      trouble: troubleWith(key, aliasName) ?? "",
    }));
    return { entries: [], unusable, surplus: [] };
  }
  const { key } = chosen;
  const keyType = keyTypeOf(key.keySpec);
  if (keyType === undefined) return { entries: [], unusable: [], surplus: [] };
  const { pkixData } = await context.kms.getPublicKey(key.arn, { signal: context.signal });
  const surplus = usable.filter((other) => other !== chosen).map((other) => ({ key: other.key, chosen: key }));
  if (surplus.length > 0) {
    context.log.warn("Several keys carry the tags of one key id", {
      key_id: keyId,
      used: key.arn,
      left_out: surplus.map((other) => other.key.arn),
    });
  }
  return { entries: [createKeyEntry({ keyId, keyType, keyArn: key.arn, aliasName, pkixData })], unusable: [], surplus };
}

/** Whether keys may exist that only aliases show. */
function mayHaveUntaggedKeys(
  candidates: readonly TaggedCandidate[],
  { clock, keepAliveMs }: TagDiscoveryContext,
): boolean {
  const oldest = clock.now().getTime() - keepAliveMs;
  const isWatched = ({ tags, key }: TaggedCandidate) =>
    key.keyState === "Enabled" && (tags.lastUpdate?.getTime() ?? 0) >= oldest;
  return candidates.length === 0 || !candidates.every(isWatched);
}

/** Tags keys that were found by their alias only. */
async function migrate(tagged: ReadonlyMap<string, KeyEntry>, context: TagDiscoveryContext): Promise<DiscoveredKeys> {
  const { kms, identity, clock, log, signal } = context;
  const byAlias = await discoverByAlias(context);
  const merged = new Map(tagged);
  for (const [keyId, entry] of byAlias.entries) {
    // The alias is the older witness: where both exist and differ, it was moved while tag mode was off.
    if (merged.get(keyId)?.keyArn === entry.keyArn) continue;
    await kms.tagResource(entry.keyArn, spireTags(identity, keyId, clock.now()), { signal });
    log.info("Key found by its alias is tagged now", {
      key_id: keyId,
      key_arn: entry.keyArn,
      alias_name: entry.aliasName,
    });
    merged.set(keyId, entry);
  }
  return { entries: merged, unusable: byAlias.unusable };
}

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
    const found = { entries, unusable: choices.flatMap(({ unusable }) => unusable) };
    const surplus = choices.flatMap((choice) => choice.surplus);
    if (!mayHaveUntaggedKeys(candidates, context)) return { ...found, surplus };
    const migrated = await migrate(entries, context);
    return { ...migrated, surplus };
  } catch (error) {
    if (error instanceof KeyManagerError) throw error;
    if (isKmsError(error, "AccessDenied") && error.operation === "GetResources") {
      throw new KeyManagerError(
        "PermissionDenied",
        `${keyManagerError("failed to find keys by their tags", error).message}: tag:GetResources must stand in an identity policy of the server's role, a key policy cannot grant it`,
      );
    }
    throw keyManagerError("failed to find keys by their tags", error);
  }
}
