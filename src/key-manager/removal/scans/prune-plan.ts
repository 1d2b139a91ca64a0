/**
 * What may go, and why: pure functions from facts to a plan, used by the scans, by their dry run and by the command line.
 *
 * A deletion needs two proofs: the alias path (or that there is no alias at all) and the key's own description. What
 * lacks one of them stays.
 */
import type { KeyNames } from "../../names.ts";
import type { AliasListEntry, KeyMetadata } from "../../ports.ts";
import type { SpireTags, TagIdentity } from "../../tags/spire-tags.ts";
import { whyNotSpires } from "../ownership.ts";

/** Rules under which a key is pruned. */
export type PruneRule = "stale alias" | "stale key" | "stale tags" | "unused" | "inactive";

export interface PruneCandidate {
  readonly rule: PruneRule;
  readonly keyId: string;
  readonly keyArn: string;
  /** The alias that goes with the key; undefined for a key without one. */
  readonly aliasName: string | undefined;
  /** Since the alias was last updated, or since the key was created. */
  readonly ageMs: number;
}

/** Something that a scan looked at closely and left alone. */
export interface Spared {
  readonly keyId: string | undefined;
  readonly aliasName: string | undefined;
  readonly reason: string;
  /** As far as it could be described. */
  readonly key?: KeyMetadata | undefined;
}

export interface PrunePlan {
  readonly candidates: readonly PruneCandidate[];
  readonly spared: readonly Spared[];
  /** Candidates beyond the cap, left for the next scan. */
  readonly deferred: number;
}

export interface PruneRules {
  readonly names: KeyNames;
  /** KMS's time, where it was told. */
  readonly now: Date;
  readonly thresholdMs: number;
  readonly maxDeletions: number;
  /** ARNs of the keys this server uses. */
  readonly isInUse: (keyArn: string) => boolean;
  /** Whether a key is on its way to deletion already; it does not count toward the cap again. */
  readonly isWaiting?: (keyArn: string) => boolean;
  /** Whether a key could not be pruned before; the others come first, so that it does not use up the cap each time. */
  readonly hasFailed?: (keyArn: string) => boolean;
  /** Whether a key's tags name this trust domain, where tags are known. */
  readonly isOwnByTags?: (keyArn: string) => boolean;
  /** Whether a key's tags show that a server refreshes it, where tags are known. */
  readonly isRefreshedByTags?: (keyArn: string) => boolean;
  /** Whether keys are pruned that do not tell which of two trust domains written alike they belong to. */
  readonly prunesAmbiguous?: boolean;
  /** The Regions in which the members of a multi-Region key are looked at before it is scheduled for deletion. */
  readonly lookedAfter?: readonly string[];
}

/** Judges one candidate: why it stays, or undefined when it may go. */
type Judgement = string | undefined;

/** What is true of any key that may go. */
function judgeKey(key: KeyMetadata, hasTwin: boolean, rules: PruneRules): Judgement {
  const { names, isInUse, isWaiting, isOwnByTags } = rules;
  if (isInUse(key.arn)) return "the key is in use by this server";
  if (isWaiting?.(key.arn)) return "the key waits for its deletion already";
  const owner = names.trustDomainOf(key.description);
  if (owner === "foreign") return `the key's description ${JSON.stringify(key.description)} is not this trust domain's`;
  if (owner === "shared" && !isOwnByTags?.(key.arn) && isAmbiguous(hasTwin, rules)) {
    return "another trust domain may be written the same in aliases, and the key does not tell which one it belongs to";
  }
  if (key.keyState !== "Enabled") return `the key is ${key.keyState}`;
  return whyNotSpires(key, rules.lookedAfter);
}

/** Whether a key that only an alias segment ties to us may as well be a twin's (`a.b` and `a_b`). */
const isAmbiguous = (hasTwin: boolean, { names, prunesAmbiguous = false }: PruneRules): boolean =>
  hasTwin || (names.mayHaveTwin && !prunesAmbiguous);

/** Whether some key shows that another trust domain shares our alias segment (`a.b` and `a_b`). */
const showsTwin = (keys: Iterable<KeyMetadata>, names: KeyNames): boolean => {
  for (const { description } of keys) if (names.isForeignDescription(description)) return true;
  return false;
};

function capped(
  candidates: readonly PruneCandidate[],
  spared: readonly Spared[],
  { maxDeletions, hasFailed = () => false }: PruneRules,
): PrunePlan {
  const rank = ({ keyArn }: PruneCandidate) => (hasFailed(keyArn) ? 1 : 0);
  const inOrder = [...candidates].sort((a, b) => rank(a) - rank(b) || b.ageMs - a.ageMs);
  return {
    candidates: inOrder.slice(0, maxDeletions),
    spared,
    deferred: Math.max(0, inOrder.length - maxDeletions),
  };
}

/** The aliases that a stale-alias scan is about: the trust domain's, except this server's own. */
export function candidateAliases(aliases: readonly AliasListEntry[], names: KeyNames): readonly AliasListEntry[] {
  return aliases.filter(({ aliasName }) => names.isTrustDomainAlias(aliasName) && !names.isOwnAlias(aliasName));
}

/** Whether the alias was not refreshed for longer than the threshold. Without a date its age is unknown. */
export function isStaleAlias(
  { lastUpdatedDate }: AliasListEntry,
  { now, thresholdMs }: Pick<PruneRules, "now" | "thresholdMs">,
): boolean {
  return lastUpdatedDate !== undefined && now.getTime() - lastUpdatedDate.getTime() >= thresholdMs;
}

export interface StaleAliasFacts {
  /** Every alias of the account and Region. */
  readonly aliases: readonly AliasListEntry[];
  /** By key id: the targets of stale {@link candidateAliases} as far as they could be described, and whatever else is known. */
  readonly keys: ReadonlyMap<string, KeyMetadata>;
}

/** Stale aliases of this trust domain's other servers. */
export function planStaleAliases({ aliases, keys }: StaleAliasFacts, rules: PruneRules): PrunePlan {
  const { names, now } = rules;
  const hasTwin = showsTwin(keys.values(), names);
  const aliasCounts = new Map<string | undefined, number>();
  for (const { targetKeyId } of aliases) aliasCounts.set(targetKeyId, (aliasCounts.get(targetKeyId) ?? 0) + 1);
  const candidates: PruneCandidate[] = [];
  const spared: Spared[] = [];
  for (const alias of candidateAliases(aliases, names)) {
    const { aliasName, targetKeyId, lastUpdatedDate = now } = alias;
    // Without a target there is nothing to pay for.
    if (!isStaleAlias(alias, rules) || targetKeyId === undefined) continue;
    const ageMs = now.getTime() - lastUpdatedDate.getTime();
    const key = keys.get(targetKeyId);
    const others = (aliasCounts.get(targetKeyId) ?? 1) - 1;
    const reason =
      key === undefined
        ? "the key could not be described"
        : others > 0
          ? `${others} other aliases point to the key`
          : rules.isRefreshedByTags?.(key.arn)
            ? "its tags are fresh"
            : judgeKey(key, hasTwin, rules);
    if (key === undefined || reason !== undefined)
      spared.push({ keyId: targetKeyId, aliasName, reason: reason ?? "", key });
    else candidates.push({ rule: "stale alias", keyId: key.keyId, keyArn: key.arn, aliasName, ageMs });
  }
  return capped(candidates, spared, rules);
}

export interface StaleKeyFacts {
  /** Keys of this trust domain by description, as far as they are old enough to be asked about. */
  readonly keys: readonly KeyMetadata[];
  /** Names of the aliases of each of these keys, by key id. */
  readonly aliases: ReadonlyMap<string, readonly string[]>;
  /** Whether a key of a trust domain with the same alias segment was seen. */
  readonly hasTwin: boolean;
}

/** Keys of this trust domain without any alias, older than the threshold: what failed generations and crashes left. */
export function planStaleKeys({ keys, aliases, hasTwin }: StaleKeyFacts, rules: PruneRules): PrunePlan {
  const candidates: PruneCandidate[] = [];
  const spared: Spared[] = [];
  for (const key of keys) {
    const ageMs = key.creationDate === undefined ? undefined : rules.now.getTime() - key.creationDate.getTime();
    if (ageMs === undefined || ageMs < rules.thresholdMs) continue;
    const names = aliases.get(key.keyId);
    if (names === undefined || names.length > 0) continue;
    const reason = judgeKey(key, hasTwin, rules);
    if (reason !== undefined) spared.push({ keyId: key.keyId, aliasName: undefined, reason, key });
    else candidates.push({ rule: "stale key", keyId: key.keyId, keyArn: key.arn, aliasName: undefined, ageMs });
  }
  return capped(candidates, spared, rules);
}

export interface TaggedKeyFacts {
  readonly key: KeyMetadata;
  readonly tags: SpireTags;
  /** All aliases of the key. */
  readonly aliases: readonly AliasListEntry[];
}

export interface TagPruneRules extends PruneRules {
  readonly identity: TagIdentity;
  /** Age at which a key of this server that is not in use is an orphan. */
  readonly ownThresholdMs: number;
}

function ruleFor(tags: SpireTags, ageMs: number, rules: TagPruneRules): PruneRule | undefined {
  // A date that cannot be read tells nothing: the key may have been refreshed a moment ago.
  if (tags.lastUpdate === undefined) return undefined;
  if (!tags.active) return "inactive";
  if (tags.serverId === rules.identity.serverId) return ageMs >= rules.ownThresholdMs ? "unused" : undefined;
  return ageMs >= rules.thresholdMs ? "stale tags" : undefined;
}

/**
 * Since a key was last kept active, and no longer than it exists: `spire-last-update` is by the clock of the server that
 * wrote it, and a key whose alias is only about to be made must not look old because that clock is slow.
 */
function unusedForMs({ tags, key }: TaggedKeyFacts, now: Date): number {
  const lastUpdate = tags.lastUpdate?.getTime() ?? 0;
  return now.getTime() - Math.max(lastUpdate, (key.creationDate ?? now).getTime());
}

/** Why the aliases of a key speak against its candidate: foreign, or refreshed by a server without tag mode. */
function protectionOf({ aliases }: TaggedKeyFacts, { names, now, thresholdMs }: PruneRules): Judgement {
  for (const alias of aliases) {
    if (!names.isTrustDomainAlias(alias.aliasName)) return `alias ${alias.aliasName} is none of SPIRE's`;
    // A server that went back to alias mode lets its tags grow old, but not its alias.
    if (!isStaleAlias(alias, { now, thresholdMs })) return `alias ${alias.aliasName} is fresh`;
  }
  return undefined;
}

/** In tag mode: stale keys of this trust domain, orphans of this server, and half-finished prunes. */
export function planTaggedKeys(facts: readonly TaggedKeyFacts[], rules: TagPruneRules): PrunePlan {
  const { identity, now } = rules;
  const candidates: PruneCandidate[] = [];
  const spared: Spared[] = [];
  for (const fact of facts) {
    const { key, tags, aliases } = fact;
    if (tags.trustDomain !== identity.trustDomain) continue;
    const ageMs = unusedForMs(fact, now);
    const rule = ruleFor(tags, ageMs, rules);
    if (rule === undefined) continue;
    const reason = protectionOf(fact, rules) ?? judgeKey(key, false, { ...rules, isOwnByTags: () => true });
    const aliasName = aliases[0]?.aliasName;
    if (reason !== undefined) spared.push({ keyId: key.keyId, aliasName, reason, key });
    else candidates.push({ rule, keyId: key.keyId, keyArn: key.arn, aliasName, ageMs });
  }
  return capped(candidates, spared, rules);
}
