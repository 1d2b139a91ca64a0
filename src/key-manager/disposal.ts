/**
 * What may go, and why: pure functions from facts to a plan, used by the scans, by their dry run and by the command line.
 *
 * A deletion needs two proofs: the alias path (or that there is no alias at all) and the key's own description. What
 * lacks one of them stays.
 */
import type { KeyNames } from "./names.ts";
import type { AliasListEntry, KeyMetadata } from "./ports.ts";
import type { SpireTags, TagIdentity } from "./spire-tags.ts";

/** Rules under which a key is disposed of. */
export type DisposalRule = "stale alias" | "stale key" | "stale tags" | "unused" | "inactive";

export interface Disposal {
  readonly rule: DisposalRule;
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
}

export interface DisposalPlan {
  readonly dispose: readonly Disposal[];
  readonly spared: readonly Spared[];
  /** Disposals beyond the cap, left for the next scan. */
  readonly deferred: number;
}

export interface DisposalRules {
  readonly names: KeyNames;
  /** KMS's time, where it was told. */
  readonly now: Date;
  readonly thresholdMs: number;
  readonly maxDeletions: number;
  /** ARNs of the keys this server uses. */
  readonly isInUse: (keyArn: string) => boolean;
}

/** Judges one candidate: why it stays, or undefined when it may go. */
type Judgement = string | undefined;

/** What is true of any key that may go. */
function judgeKey(key: KeyMetadata, hasTwin: boolean, { names, isInUse }: DisposalRules): Judgement {
  if (isInUse(key.arn)) return "the key is in use by this server";
  const owner = names.trustDomainOf(key.description);
  if (owner === "foreign") return `the key's description ${JSON.stringify(key.description)} is not this trust domain's`;
  if (owner === "shared" && hasTwin) {
    return "another trust domain is written the same in aliases, and the key does not tell which one it belongs to";
  }
  if (key.keyUsage !== "SIGN_VERIFY") return `key usage ${key.keyUsage} is not SPIRE's`;
  if (key.keyState !== "Enabled") return `the key is ${key.keyState}`;
  return undefined;
}

/** Whether some key shows that another trust domain shares our alias segment (`a.b` and `a_b`). */
const showsTwin = (keys: Iterable<KeyMetadata>, names: KeyNames): boolean => {
  for (const { description } of keys) if (names.isForeignDescription(description)) return true;
  return false;
};

function capped(candidates: readonly Disposal[], spared: readonly Spared[], maxDeletions: number): DisposalPlan {
  const oldestFirst = [...candidates].sort((a, b) => b.ageMs - a.ageMs);
  return {
    dispose: oldestFirst.slice(0, maxDeletions),
    spared,
    deferred: Math.max(0, oldestFirst.length - maxDeletions),
  };
}

/** The aliases that a stale-alias scan has to know the keys of: the trust domain's, except this server's own. */
export function candidateAliases(aliases: readonly AliasListEntry[], names: KeyNames): readonly AliasListEntry[] {
  return aliases.filter(({ aliasName }) => names.isTrustDomainAlias(aliasName) && !names.isOwnAlias(aliasName));
}

export interface StaleAliasFacts {
  /** Every alias of the account and Region. */
  readonly aliases: readonly AliasListEntry[];
  /** By key id: the targets of {@link candidateAliases}, as far as they could be described. */
  readonly keys: ReadonlyMap<string, KeyMetadata>;
}

/** Aliases of this trust domain's other servers that nobody has refreshed for longer than the threshold. */
export function planStaleAliases({ aliases, keys }: StaleAliasFacts, rules: DisposalRules): DisposalPlan {
  const { names, now, thresholdMs, maxDeletions } = rules;
  const hasTwin = showsTwin(keys.values(), names);
  const aliasCounts = new Map<string | undefined, number>();
  for (const { targetKeyId } of aliases) aliasCounts.set(targetKeyId, (aliasCounts.get(targetKeyId) ?? 0) + 1);
  const dispose: Disposal[] = [];
  const spared: Spared[] = [];
  for (const { aliasName, targetKeyId, lastUpdatedDate } of candidateAliases(aliases, names)) {
    // Without a date its age is unknown; without a target there is nothing to pay for.
    if (lastUpdatedDate === undefined || targetKeyId === undefined) continue;
    const ageMs = now.getTime() - lastUpdatedDate.getTime();
    if (ageMs < thresholdMs) continue;
    const key = keys.get(targetKeyId);
    const others = (aliasCounts.get(targetKeyId) ?? 1) - 1;
    const reason =
      key === undefined
        ? "the key could not be described"
        : others > 0
          ? `${others} other aliases point to the key`
          : judgeKey(key, hasTwin, rules);
    if (key === undefined || reason !== undefined) spared.push({ keyId: targetKeyId, aliasName, reason: reason ?? "" });
    else dispose.push({ rule: "stale alias", keyId: key.keyId, keyArn: key.arn, aliasName, ageMs });
  }
  return capped(dispose, spared, maxDeletions);
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
export function planStaleKeys({ keys, aliases, hasTwin }: StaleKeyFacts, rules: DisposalRules): DisposalPlan {
  const dispose: Disposal[] = [];
  const spared: Spared[] = [];
  for (const key of keys) {
    const ageMs = key.creationDate === undefined ? undefined : rules.now.getTime() - key.creationDate.getTime();
    if (ageMs === undefined || ageMs < rules.thresholdMs) continue;
    const names = aliases.get(key.keyId);
    if (names === undefined || names.length > 0) continue;
    const reason = judgeKey(key, hasTwin, rules);
    if (reason !== undefined) spared.push({ keyId: key.keyId, aliasName: undefined, reason });
    else dispose.push({ rule: "stale key", keyId: key.keyId, keyArn: key.arn, aliasName: undefined, ageMs });
  }
  return capped(dispose, spared, rules.maxDeletions);
}

export interface TaggedKeyFacts {
  readonly key: KeyMetadata;
  readonly tags: SpireTags;
  /** All aliases of the key. */
  readonly aliases: readonly AliasListEntry[];
}

export interface TagDisposalRules extends DisposalRules {
  readonly identity: TagIdentity;
  /** Age at which a key of this server that is not in use is a leftover. */
  readonly ownThresholdMs: number;
}

function ruleFor(tags: SpireTags, ageMs: number, rules: TagDisposalRules): DisposalRule | undefined {
  if (!tags.active) return "inactive";
  if (tags.serverId === rules.identity.serverId) return ageMs >= rules.ownThresholdMs ? "unused" : undefined;
  return ageMs >= rules.thresholdMs ? "stale tags" : undefined;
}

/** In tag mode: keys of this trust domain that nobody keeps active, leftovers of this server, and half-finished disposals. */
export function planTaggedKeys(facts: readonly TaggedKeyFacts[], rules: TagDisposalRules): DisposalPlan {
  const { identity, now, thresholdMs, names } = rules;
  const dispose: Disposal[] = [];
  const spared: Spared[] = [];
  for (const { key, tags, aliases } of facts) {
    if (tags.trustDomain !== identity.trustDomain) continue;
    const ageMs = now.getTime() - (tags.lastUpdate ?? key.creationDate ?? now).getTime();
    const rule = ruleFor(tags, ageMs, rules);
    if (rule === undefined) continue;
    // A server that went back to alias mode lets its tags grow old, but not its alias.
    const fresh = aliases.find(
      ({ lastUpdatedDate }) => lastUpdatedDate === undefined || now.getTime() - lastUpdatedDate.getTime() < thresholdMs,
    );
    const reason = fresh === undefined ? judgeKey(key, false, rules) : `alias ${fresh.aliasName} is fresh`;
    const aliasName = aliases.find((alias) => names.isTrustDomainAlias(alias.aliasName))?.aliasName;
    if (reason !== undefined) spared.push({ keyId: key.keyId, aliasName, reason });
    else dispose.push({ rule, keyId: key.keyId, keyArn: key.arn, aliasName, ageMs });
  }
  return capped(dispose, spared, rules.maxDeletions);
}
