/**
 * Keys that this process made a moment ago. KMS may take minutes to show everywhere that an alias has moved (its
 * eventual consistency): a reconfiguration must not fall back to the key before.
 */
import { KeyManagerError, keyManagerError } from "../errors.ts";
import type { KeyEntry } from "../key-entry.ts";
import { isKmsError, type KeyMetadata } from "../ports.ts";
import type { DiscoveredKeys, DiscoveryContext } from "./key-discovery.ts";

const createdAt = ({ creationDate }: KeyMetadata): number => creationDate?.getTime() ?? Number.NaN;

/** Whether the recent key is still the one to use; where it is somebody else's business now it is not. */
async function isStillMeant(
  recent: KeyEntry,
  found: KeyEntry | undefined,
  { kms, names, signal }: DiscoveryContext,
): Promise<boolean> {
  if (!names.isOwnAlias(recent.aliasName)) return false;
  try {
    const own = await kms.describeKey(recent.keyArn, { signal });
    if (own.keyState !== "Enabled") return false;
    if (found === undefined) return true;
    const other = await kms.describeKey(found.keyArn, { signal });
    // A newer one is a replica's rotation.
    return createdAt(other) <= createdAt(own);
  } catch (error) {
    // Another account or Region is configured by now.
    if (isKmsError(error, "NotFound", "AccessDenied", "InvalidRequest")) return false;
    throw error;
  }
}

/**
 * Keeps recent keys in place of what KMS shows under their ids.
 *
 * @throws KeyManagerError when KMS cannot be reached
 */
export async function keepRecentKeys(
  found: DiscoveredKeys,
  recent: readonly KeyEntry[],
  context: DiscoveryContext,
): Promise<DiscoveredKeys> {
  const entries = new Map(found.entries);
  const kept = new Set<string>();
  try {
    for (const entry of recent) {
      const shown = found.entries.get(entry.keyId);
      if (shown?.keyArn === entry.keyArn || !(await isStillMeant(entry, shown, context))) continue;
      entries.set(entry.keyId, entry);
      kept.add(entry.aliasName);
      context.log.info("KMS does not show yet where an alias stands: keeping the key that was just made", {
        key_id: entry.keyId,
        alias_name: entry.aliasName,
        key_arn: entry.keyArn,
        shown_key_arn: shown?.keyArn,
      });
    }
  } catch (error) {
    if (error instanceof KeyManagerError) throw error;
    throw keyManagerError("failed to look at keys that were just made", error);
  }
  return { ...found, entries, unusable: found.unusable.filter(({ aliasName }) => !kept.has(aliasName)) };
}
