/**
 * Whose a key is, as KMS shows it: pure rules that every deletion has to pass.
 *
 * A key is ours by its description, and only if it is made as SPIRE's plugins make keys: what could not be theirs is
 * never touched, whatever its description or alias say.
 */
import type { KeyFacts } from "../deletions.ts";
import { keyTypeOf } from "../key-type.ts";
import { arnInRegion, regionOfArn } from "../keys/multi-region-key.ts";
import type { KeyNames } from "../names.ts";
import type { KeyMetadata } from "../ports.ts";

/** The other Regions that have a member of the key, as KMS shows it. */
function otherRegions({ arn, multiRegion }: KeyMetadata): readonly string[] {
  if (multiRegion === undefined) return [];
  const { isReplica, primaryRegion = isReplica ? "a Region that KMS does not tell" : undefined } = multiRegion;
  const all = [...(primaryRegion === undefined ? [] : [primaryRegion]), ...multiRegion.replicaRegions];
  return [...new Set(all)].filter((region) => region !== regionOfArn(arn));
}

/**
 * What removes the replicas that keep a key from being scheduled for deletion, for an operator who knows that nothing uses them;
 * undefined for a key without any, and for a replica, whose primary is not here to be removed.
 */
export function removalOfReplicas(key: KeyMetadata, lookedAfter: readonly string[]): string | undefined {
  if (key.multiRegion?.isReplica !== false) return undefined;
  const commands = otherRegions(key)
    .filter((region) => !lookedAfter.includes(region))
    .map((region) => `aws kms schedule-key-deletion --region ${region} --key-id ${arnInRegion(key.arn, region)}`);
  return commands.length === 0 ? undefined : commands.join("; ");
}

/** Why a multi-Region key has to stay for the sake of members that would not be looked at. */
export function whySetStays(key: KeyMetadata, lookedAfter: readonly string[]): string | undefined {
  const others = otherRegions(key).filter((region) => !lookedAfter.includes(region));
  if (others.length === 0) return undefined;
  if (lookedAfter.length > 0)
    return `it has members in Regions that replica_regions does not name (${others.join(", ")})`;
  if (key.multiRegion?.isReplica) return "the key is a replica of a multi-Region key";
  return `the key has replicas in other Regions (${others.join(", ")})`;
}

/**
 * Why no plugin of SPIRE can have made the key, or not for this server alone to remove; undefined when one can. DescribeKey tells
 * all of it.
 *
 * @param lookedAfter the Regions in which its members are looked at before it is scheduled for deletion
 */
export function whyNotSpires(key: KeyMetadata, lookedAfter: readonly string[] = []): string | undefined {
  const { keyUsage, keySpec, origin, customKeyStoreId } = key;
  if (keyUsage !== "SIGN_VERIFY") return `key usage ${keyUsage} is not SPIRE's`;
  if (keyTypeOf(keySpec) === undefined) return `key spec ${keySpec} is not SPIRE's`;
  if (origin === undefined) return "KMS does not tell where the key material comes from";
  if (origin !== "AWS_KMS") return `the key material's origin is ${origin}: SPIRE's keys are made by AWS KMS`;
  if (customKeyStoreId !== undefined) return `the key is in the custom key store ${customKeyStoreId}`;
  return whySetStays(key, lookedAfter);
}

/** Why a key that this server made or used is not ours to delete by its own word. */
function whyNotOurs(key: KeyMetadata, { names, keyId, lookedAfter }: OwnKeyContext): string | undefined {
  const { description } = key;
  const isOurs = names.trustDomainOf(description) !== "foreign" || names.takenOver?.isDescription(description, keyId);
  return isOurs
    ? whyNotSpires(key, lookedAfter)
    : `its description ${JSON.stringify(description)} is not one of this server's keys`;
}

export interface OwnKeyContext {
  readonly names: KeyNames;
  /** The SPIRE key id that the key was under. */
  readonly keyId: string;
  /** See {@link whyNotSpires}. */
  readonly lookedAfter?: readonly string[];
}

/**
 * For a key that this server has replaced, or made in vain: why it must stay all the same.
 *
 * @param facts without the alias of its id, which has been looked at by name
 */
export function whyOwnKeyStays({ key, aliases }: KeyFacts, context: OwnKeyContext): string | undefined {
  const { names, keyId } = context;
  const reason = whyNotOurs(key, context);
  if (reason !== undefined) return reason;
  const other = aliases.find(
    (alias) =>
      !names.reminders?.isReminder(alias.aliasName) && !names.takenOver?.isAlias(alias, key.description, keyId),
  );
  return other === undefined ? undefined : `alias ${other.aliasName} stands on the key`;
}
