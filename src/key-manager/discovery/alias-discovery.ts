/** Finding this server's keys at Configure by the names of their aliases. */

import { explain, KeyManagerError, keyManagerError } from "../errors.ts";
import { keyTypeOf } from "../key-type.ts";
import { findKey } from "../keys/find-key.ts";
import { createKeyEntry, type KeyEntry } from "../keys/key-entry.ts";
import type { KeyNames } from "../names.ts";
import { mapBounded } from "../pace/concurrency.ts";
import { type AliasListEntry, isKmsError, isPendingDeletion, type KeyMetadata, type Logger } from "../ports.ts";
import { tagNames } from "../tags/spire-tags.ts";
import type { DiscoveredKeys, DiscoveryContext, UnusableKey } from "./key-discovery.ts";

/** A large fleet that starts as one shares 500 pages a second: who waits need not start anew. */
const throttledForMs = 10_000;
/** DescribeKey and GetPublicKey under way at once; KMS allows 2,000 a second of each. */
const concurrency = 16;

export type Finding =
  | { readonly entry: KeyEntry; readonly createdAt: Date | undefined }
  /** `isPendingDeletion`: the key is scheduled for deletion. */
  | { readonly unusable: UnusableKey; readonly isPendingDeletion?: boolean }
  | undefined;

export interface Listing {
  readonly own: readonly AliasListEntry[];
  /** When KMS says it answered. */
  readonly now: Date | undefined;
  readonly reminders: readonly AliasListEntry[];
  readonly trustDomain: readonly AliasListEntry[];
}

export async function listAliases({ kms, names, log, signal }: DiscoveryContext): Promise<Listing> {
  const own: AliasListEntry[] = [];
  const reminders: AliasListEntry[] = [];
  const trustDomain: AliasListEntry[] = [];
  const all: string[] = [];
  let now: Date | undefined;
  for await (const page of kms.listAliases(undefined, { signal, throttledForMs })) {
    now = page.serverTime ?? now;
    own.push(...page.items.filter(({ aliasName }) => names.isOwnAlias(aliasName)));
    trustDomain.push(...page.items.filter(({ aliasName }) => names.isTrustDomainAlias(aliasName)));
    reminders.push(...page.items.filter(({ aliasName }) => names.reminders?.isReminder(aliasName)));
    if (names.doubtsAbout !== undefined) all.push(...page.items.map(({ aliasName }) => aliasName));
  }
  const doubts = names.doubtsAbout?.(all) ?? new Map<string, string>();
  for (const [aliasName, reason] of doubts) {
    log.warn(`Cannot tell whose an alias is: it is left out; end ${names.setting} with a slash`, {
      alias_name: aliasName,
      reason,
    });
  }
  return { own: own.filter(({ aliasName }) => !doubts.has(aliasName)), reminders, trustDomain, now };
}

const longestSinceRefreshMs = ({ own, now }: Listing): number =>
  Math.max(
    0,
    ...own.map(({ lastUpdatedDate }) => (now && lastUpdatedDate ? now.getTime() - lastUpdatedDate.getTime() : 0)),
  );

/**
 * What is wrong with a key of ours, and what to do about it; undefined when it can be used.
 *
 * @param aliasName the alias that stands on it; undefined for one that only its tags show
 */
export function troubleWith(
  { keyState, keySpec, keyUsage, arn }: KeyMetadata,
  aliasName: string | undefined,
): string | undefined {
  const letGo =
    aliasName === undefined
      ? `take it out of use (aws kms tag-resource --key-id ${arn} --tags TagKey=${tagNames.active},TagValue=false)`
      : `delete the alias (aws kms delete-alias --alias-name ${aliasName})`;
  const replace = aliasName === undefined ? letGo : "point the alias at another key or delete it";
  if (keyUsage !== "SIGN_VERIFY") return `key usage ${keyUsage} cannot sign; ${replace}`;
  if (keyTypeOf(keySpec) === undefined) return `key spec ${keySpec} is none of SPIRE's; ${replace}`;
  switch (keyState) {
    case "Enabled":
    case "Updating":
      return undefined;
    case "Disabled":
      return `the key is disabled; enable it (aws kms enable-key --key-id ${arn}) or ${letGo}`;
    case "PendingDeletion":
    case "PendingReplicaDeletion": {
      const cancel = `cancel that (aws kms cancel-key-deletion --key-id ${arn}, then aws kms enable-key --key-id ${arn})`;
      // KMS refuses to tag it.
      return `the key is pending deletion; ${cancel}${aliasName === undefined ? "" : ` or ${letGo}`}`;
    }
    default:
      return `the key's state is ${keyState}; wait until it is Enabled, or ${letGo}`;
  }
}

/**
 * Looks at the key behind one of our aliases.
 *
 * @returns undefined when the key turns out to be another trust domain's
 */
export async function examineAlias(
  alias: Pick<AliasListEntry, "aliasName" | "targetKeyId">,
  context: Omit<DiscoveryContext, "log">,
): Promise<Finding> {
  const finding = await examineTarget(alias, context);
  if (finding === undefined || "entry" in finding || !finding.isPendingDeletion) return finding;
  // A listing may be older than a rotation: perhaps the alias has left the key by now.
  const { aliasName } = alias;
  const target = await findKey(context.kms, aliasName, { signal: context.signal }).catch(() => undefined);
  if (target === undefined || target.arn === finding.unusable.keyArn) return finding;
  return examineTarget({ aliasName, targetKeyId: target.keyId }, context);
}

async function examineTarget(
  { aliasName, targetKeyId }: Pick<AliasListEntry, "aliasName" | "targetKeyId">,
  { kms, names, signal }: Omit<DiscoveryContext, "log">,
): Promise<Finding> {
  if (targetKeyId === undefined) {
    return { unusable: { aliasName, keyArn: undefined, trouble: "the alias has no target key; delete it" } };
  }
  let metadata: KeyMetadata;
  let pkixData: Uint8Array;
  try {
    // By the target's id, so that both answers are of one key even if the alias moves in between.
    metadata = await kms.describeKey(targetKeyId, { signal });
    if (names.isForeignDescription(metadata.description)) return undefined;
    const trouble = troubleWith(metadata, aliasName);
    if (trouble !== undefined) {
      const isCreating = metadata.keyState === "Creating";
      const unusable = { aliasName, keyArn: metadata.arn, trouble, isCreating };
      return { unusable, isPendingDeletion: isPendingDeletion(metadata) };
    }
    ({ pkixData } = await kms.getPublicKey(metadata.arn, { signal }));
  } catch (error) {
    if (!isKmsError(error, "NOT_FOUND", "DISABLED", "INVALID_STATE")) throw error;
    // Deleted, disabled or scheduled since the listing.
    return { unusable: { aliasName, keyArn: targetKeyId, trouble: error.message } };
  }
  const keyId = names.keyIdOf(aliasName, metadata.description);
  const keyType = keyTypeOf(metadata.keySpec);
  if (keyType === undefined) return undefined;
  const { arn: keyArn, multiRegion } = metadata;
  const entry = createKeyEntry({ keyId, keyType, keyArn, aliasName, pkixData, multiRegion });
  return { entry, createdAt: metadata.creationDate };
}

/** Two aliases may decode to one id; the one we would write ourselves is meant. */
export function byKeyId(entries: readonly KeyEntry[], names: KeyNames, log: Logger): Map<string, KeyEntry> {
  const chosen = new Map<string, KeyEntry>();
  for (const entry of entries) {
    const rival = chosen.get(entry.keyId);
    const wins = rival === undefined || entry.aliasName === names.aliasFor(entry.keyId);
    if (rival !== undefined) {
      log.warn("Two aliases stand for one key id", {
        key_id: entry.keyId,
        used: (wins ? entry : rival).aliasName,
        left_out: (wins ? rival : entry).aliasName,
      });
    }
    if (wins) chosen.set(entry.keyId, entry);
  }
  return chosen;
}

/**
 * The keys behind reminders that are still to be scheduled for deletion. What cannot be looked at waits for the next start:
 * no key in use is among them.
 */
async function remindedKeys(
  reminders: readonly AliasListEntry[],
  { kms, names, log, signal }: DiscoveryContext,
): Promise<readonly KeyMetadata[]> {
  try {
    const keys = await mapBounded(reminders, concurrency, async ({ targetKeyId }) =>
      targetKeyId === undefined ? undefined : findKey(kms, targetKeyId, { signal }),
    );
    return keys.flatMap((key) =>
      key?.keyState === "Enabled" && names.trustDomainOf(key.description) !== "foreign" ? [key] : [],
    );
  } catch (error) {
    signal?.throwIfAborted();
    log.warn("Keys that are still to be scheduled for deletion cannot be looked at; the next start does it", {
      reason: explain(error),
    });
    return [];
  }
}

/**
 * Looks at the keys behind aliases of ours.
 *
 * @throws KeyManagerError when KMS refuses, cannot be reached, or answers with nonsense
 */
export async function discoverBehind(
  aliases: readonly Pick<AliasListEntry, "aliasName" | "targetKeyId">[],
  context: DiscoveryContext,
): Promise<DiscoveredKeys> {
  const { names, log } = context;
  let findings: readonly Finding[];
  try {
    findings = await mapBounded(aliases, concurrency, (alias) => examineAlias(alias, context));
  } catch (error) {
    if (error instanceof KeyManagerError) throw error;
    throw keyManagerError("failed to fetch aliases", error);
  }
  const found = findings.filter((finding) => finding !== undefined);
  const entries = found.flatMap((finding) => ("entry" in finding ? [finding.entry] : []));
  const unusable = found.flatMap((finding) => ("unusable" in finding ? [finding.unusable] : []));
  return { entries: byKeyId(entries, names, log), unusable, sinceRefreshMs: 0 };
}

/**
 * Lists all aliases once and asks KMS only about those that are this server's.
 *
 * @throws KeyManagerError when KMS refuses, cannot be reached, or answers with nonsense
 */
export async function discoverByAlias(context: DiscoveryContext): Promise<DiscoveredKeys> {
  let listing: Listing;
  try {
    listing = await listAliases(context);
  } catch (error) {
    if (error instanceof KeyManagerError) throw error;
    throw keyManagerError("failed to fetch aliases", error);
  }
  const found = await discoverBehind(listing.own, context);
  const reminded = await remindedKeys(listing.reminders, context);
  return {
    ...found,
    reminded,
    sinceRefreshMs: longestSinceRefreshMs(listing),
    lookedAt: listing.now,
    trustDomainAliases: listing.trustDomain,
  };
}
