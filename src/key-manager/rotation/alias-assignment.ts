/** Pointing an alias at a key, whatever state the alias turns out to be in. */

import { KeyManagerError } from "../errors.ts";
import { findKey } from "../keys/find-key.ts";
import type { KeyNames } from "../names.ts";
import { whenVisible } from "../pace/visibility.ts";
import {
  type CallOptions,
  type Clock,
  isKmsError,
  type KeyMetadata,
  type KmsClient,
  type KmsError,
  type Logger,
  type Receipt,
} from "../ports.ts";

interface AliasAssignment {
  readonly kms: KmsClient;
  readonly names: KeyNames;
  readonly clock: Clock;
  readonly log: Logger;
  /** Default: none that shares KMS's quotas. */
  readonly fleet?: { readonly aliasPatience: CallOptions };
}

/** Turns between CreateAlias and UpdateAlias before we believe that another program wants the alias, too. */
const maxTurns = 4;

/** How the alias stands after {@link assignAlias}: on the key, or on one that a replica with our identity made just before. */
export type AliasOutcome =
  /** `overwrote`: the key that the alias stood on although we did not know of it. */
  | (Partial<Receipt> & { readonly kind: "assigned"; readonly overwrote?: KeyMetadata | undefined })
  | { readonly kind: "taken"; readonly by: KeyMetadata };

/** A key that is at most this much older than ours was made in the same moment, by a replica that starts beside us. */
const sameMomentMs = 15 * 60_000;

/**
 * Points the alias at the key: creates it or moves it, healing a cache that disagrees with KMS.
 *
 * Resolves once KMS's own word is that the alias stands there, be it by an attempt whose answer was lost.
 *
 * @param key the new key
 * @param expectAlias whether the alias is thought to exist
 * @throws KmsError when KMS refuses or cannot be reached, `outcomeUnknown` when the alias may stand on the key all the
 * same; KeyManagerError when the alias stands on a foreign key
 */
export async function assignAlias(
  { kms, names, clock, log, fleet }: AliasAssignment,
  aliasName: string,
  key: KeyMetadata,
  expectAlias: boolean,
): Promise<AliasOutcome> {
  const write = (exists: boolean) =>
    exists
      ? kms.updateAlias(aliasName, key.arn, fleet?.aliasPatience)
      : // NotFound here can only mean the key, which KMS may not show yet.
        whenVisible(clock, () => kms.createAlias(aliasName, key.arn, fleet?.aliasPatience));

  /** Whether an alias that exists although it was not known stands on a key that a replica made beside us. */
  const isTwin = (target: KeyMetadata, error: KmsError): boolean => {
    if (names.isForeignDescription(target.description)) {
      throw new KeyManagerError(
        "FAILED_PRECONDITION",
        `alias ${aliasName} stands on a key that is not this server's (${target.arn}, description ${JSON.stringify(target.description)}); give this server another ${names.setting}`,
        { cause: error },
      );
    }
    if (names.isAmbiguous?.(aliasName) && target.keyState === "Enabled") {
      throw new KeyManagerError(
        "FAILED_PRECONDITION",
        `alias ${aliasName} stands on a key that may be another server's (${target.arn}); end ${names.setting} with a slash`,
        { cause: error },
      );
    }
    const olderMs = (key.creationDate?.getTime() ?? Number.NaN) - (target.creationDate?.getTime() ?? Number.NaN);
    return target.keyState === "Enabled" && target.keySpec === key.keySpec && olderMs <= sameMomentMs;
  };

  /** Where the alias points after a failure. */
  const look = async (error: KmsError): Promise<KeyMetadata | undefined> => {
    try {
      return await findKey(kms, aliasName);
    } catch (lookError) {
      // That we cannot look makes nothing more certain: it must not pass for a refusal of the alias call.
      throw error.outcomeUnknown ? error : lookError;
    }
  };

  let exists = expectAlias;
  let overwrote: KeyMetadata | undefined;
  for (let turn = 1; ; turn++) {
    try {
      const { requestId } = await write(exists);
      log.debug(exists ? "Alias updated" : "Alias created", { alias_name: aliasName, key_arn: key.arn });
      return { kind: "assigned", overwrote, requestId };
    } catch (error) {
      if (!isKmsError(error)) throw error;
      const flips = exists ? error.code === "NOT_FOUND" : error.code === "ALREADY_EXISTS";
      if (!flips && !error.outcomeUnknown) throw error;
      const target = await look(error);
      if (target?.arn === key.arn) return { kind: "assigned", overwrote };
      if (target !== undefined && error.code === "ALREADY_EXISTS") {
        if (isTwin(target, error)) return { kind: "taken", by: target };
        overwrote = target;
      }
      if (!flips || turn === maxTurns) throw error;
      log.warn("Alias state differs from what was known, healing it", { alias_name: aliasName, key_arn: key.arn });
      exists = !exists;
    }
  }
}
