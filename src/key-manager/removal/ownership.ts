/**
 * Whose a key is, as KMS shows it: pure rules that every deletion has to pass.
 *
 * A key is ours by its description, and only if it is made as SPIRE's plugins make keys: what could not be theirs is
 * never touched, whatever its description or alias say.
 */
import type { KeyFacts } from "../deletions.ts";
import { keyTypeOf } from "../key-type.ts";
import type { KeyNames } from "../names.ts";
import type { KeyMetadata } from "../ports.ts";

/** Why no plugin of SPIRE can have made the key; undefined when one can. DescribeKey tells all of it. */
export function whyNotSpires({
  keyUsage,
  keySpec,
  origin,
  customKeyStoreId,
  multiRegion,
}: KeyMetadata): string | undefined {
  if (keyUsage !== "SIGN_VERIFY") return `key usage ${keyUsage} is not SPIRE's`;
  if (keyTypeOf(keySpec) === undefined) return `key spec ${keySpec} is not SPIRE's`;
  if (origin === undefined) return "KMS does not tell where the key material comes from";
  if (origin !== "AWS_KMS") return `the key material's origin is ${origin}: SPIRE's keys are made by AWS KMS`;
  if (customKeyStoreId !== undefined) return `the key is in the custom key store ${customKeyStoreId}`;
  if (multiRegion?.isReplica) return "the key is a replica of a multi-Region key";
  const regions = multiRegion?.replicaRegions ?? [];
  return regions.length === 0 ? undefined : `the key has replicas in other Regions (${regions.join(", ")})`;
}

/** Why a key that this server made or used is not ours to delete by its own word. */
function whyNotOurs(key: KeyMetadata, names: KeyNames, keyId: string): string | undefined {
  const { description } = key;
  const isOurs = names.trustDomainOf(description) !== "foreign" || names.takenOver?.isDescription(description, keyId);
  return isOurs ? whyNotSpires(key) : `its description ${JSON.stringify(description)} is not one of this server's keys`;
}

export interface OwnKeyContext {
  readonly names: KeyNames;
  /** The SPIRE key id that the key was under. */
  readonly keyId: string;
}

/**
 * For a key that this server has replaced, or made in vain: why it must stay all the same.
 *
 * @param facts without the alias of its id, which has been looked at by name
 */
export function whyOwnKeyStays({ key, aliases }: KeyFacts, { names, keyId }: OwnKeyContext): string | undefined {
  const reason = whyNotOurs(key, names, keyId);
  if (reason !== undefined) return reason;
  const other = aliases.find(
    (alias) =>
      !names.reminders?.isReminder(alias.aliasName) && !names.takenOver?.isAlias(alias, key.description, keyId),
  );
  return other === undefined ? undefined : `alias ${other.aliasName} stands on the key`;
}
