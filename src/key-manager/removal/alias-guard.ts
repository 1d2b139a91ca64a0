/** Aliases around a deletion: the one of an id is kept off a key that was replaced, a stale one goes after its key. */
import type { KeySlot } from "../deletions.ts";
import { explain } from "../errors.ts";
import { findKey } from "../keys/find-key.ts";
import { type CallOptions, isKmsError, type KmsClient, type Logger } from "../ports.ts";

export interface AliasGuardOptions extends CallOptions {
  readonly kms: KmsClient;
  readonly log: Logger;
}

/**
 * Makes sure that the alias does not stand on the replaced key again: a replica that refreshed the alias while we moved it
 * may have put it back. Then it is pointed at the key in use once more.
 *
 * @throws KmsError
 */
export async function keepAliasOff(
  replacedArn: string,
  { aliasName, keyId, ring }: KeySlot,
  { kms, log, signal }: AliasGuardOptions,
): Promise<void> {
  const target = await findKey(kms, aliasName, { signal });
  const current = ring.get(keyId);
  if (target?.arn !== replacedArn || current === undefined || current.keyArn === replacedArn) return;
  log.warn("The alias was moved back to the replaced key: pointing it at the new key again", {
    alias_name: aliasName,
    key_arn: current.keyArn,
    replaced_key_arn: replacedArn,
  });
  await kms.updateAlias(aliasName, current.keyArn, { signal });
}

/**
 * Deletes a stale alias whose key is scheduled for deletion, unless it stands elsewhere by now.
 *
 * @throws KmsError for what may pass
 */
export async function deleteStaleAlias(
  aliasName: string,
  keyArn: string,
  { kms, log, signal }: AliasGuardOptions,
): Promise<void> {
  try {
    // Its server may have come back and put it on a new key.
    const target = await kms.describeKey(aliasName, { signal });
    if (target.arn === keyArn) await kms.deleteAlias(aliasName, { signal });
  } catch (error) {
    if (isKmsError(error, "NOT_FOUND")) return;
    if (!isKmsError(error, "ACCESS_DENIED")) throw error;
    log.warn("Failed to delete a stale alias: KMS deletes it with its key", {
      alias_name: aliasName,
      key_arn: keyArn,
      reason: explain(error),
    });
  }
}
