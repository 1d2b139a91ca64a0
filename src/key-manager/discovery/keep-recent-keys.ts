/**
 * Keys that this process made a moment ago. KMS may take minutes to show everywhere that an alias has moved (its
 * eventual consistency): a reconfiguration must not fall back to the key before.
 *
 * What is shown is disbelieved only if it is just what was before. An alias that stands anywhere else has been moved,
 * and one that is not there has been deleted.
 */
import { KeyManagerError, keyManagerError } from "../errors.ts";
import { findKey } from "../keys/find-key.ts";
import type { RecentKey } from "../keys/key-ring.ts";
import { isKmsError } from "../ports.ts";
import type { DiscoveredKeys, DiscoveryContext } from "./key-discovery.ts";

/** Whether KMS may just not know yet. */
async function mayLag(
  { entry, replacedArn }: RecentKey,
  { entries, unusable }: DiscoveredKeys,
  { kms, signal }: DiscoveryContext,
): Promise<boolean> {
  const { keyId, keyArn, aliasName } = entry;
  const shownArn = entries.get(keyId)?.keyArn ?? unusable.find((key) => key.aliasName === aliasName)?.keyArn;
  if (shownArn !== undefined) return shownArn === replacedArn;
  // A listing may lag behind the alias itself.
  return (await findKey(kms, aliasName, { signal }))?.arn === keyArn;
}

async function isKept(recent: RecentKey, found: DiscoveredKeys, context: DiscoveryContext): Promise<boolean> {
  const { keyId, keyArn, aliasName } = recent.entry;
  const { kms, names, signal } = context;
  if (found.entries.get(keyId)?.keyArn === keyArn || !names.isOwnAlias(aliasName)) return false;
  try {
    if (!(await mayLag(recent, found, context))) return false;
    const { keyState, description } = await kms.describeKey(keyArn, { signal });
    // Another trust domain may be configured by now whose aliases look the same.
    return keyState === "Enabled" && !names.isForeignDescription(description);
  } catch (error) {
    // Another account or Region is configured by now.
    if (isKmsError(error, "NOT_FOUND", "ACCESS_DENIED", "INVALID_REQUEST")) return false;
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
  recent: readonly RecentKey[],
  context: DiscoveryContext,
): Promise<DiscoveredKeys> {
  const entries = new Map(found.entries);
  const kept = new Set<string>();
  try {
    for (const key of recent) {
      const { entry } = key;
      if (!(await isKept(key, found, context))) continue;
      entries.set(entry.keyId, entry);
      kept.add(entry.aliasName);
      context.log.info("KMS does not show yet where an alias stands: keeping the key that was just made", {
        key_id: entry.keyId,
        alias_name: entry.aliasName,
        key_arn: entry.keyArn,
        shown_key_arn: found.entries.get(entry.keyId)?.keyArn,
      });
    }
  } catch (error) {
    if (error instanceof KeyManagerError) throw error;
    throw keyManagerError("failed to look at keys that were just made", error);
  }
  return { ...found, entries, unusable: found.unusable.filter(({ aliasName }) => !kept.has(aliasName)) };
}
