/** Keeps the alias of an id off a key that was replaced under it. */
import type { KeySlot } from "../deletions.ts";
import { findKey } from "../keys/find-key.ts";
import type { CallOptions, KmsClient, Logger } from "../ports.ts";

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
