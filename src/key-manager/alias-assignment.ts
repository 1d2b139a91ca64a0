/** Pointing an alias at a key, whatever state the alias turns out to be in. */
import { KeyManagerError } from "./errors.ts";
import type { KeyNames } from "./names.ts";
import { type Clock, isKmsError, type KmsClient, type KmsError, type Logger } from "./ports.ts";
import { whenVisible } from "./visibility.ts";

export interface AliasAssignment {
  readonly kms: KmsClient;
  readonly names: KeyNames;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Turns between CreateAlias and UpdateAlias before we believe that somebody fights us for the alias. */
const maxTurns = 4;

/** The ARN of the key that the alias points to, undefined when there is no such alias. */
async function targetOf(kms: KmsClient, aliasName: string): Promise<{ arn: string; description: string } | undefined> {
  try {
    return await kms.describeKey(aliasName);
  } catch (error) {
    if (isKmsError(error, "NotFound")) return undefined;
    throw error;
  }
}

/**
 * Points the alias at the key: creates it or moves it, healing a cache that disagrees with KMS.
 *
 * Resolves once KMS's own word is that the alias stands there, be it by an attempt whose answer was lost.
 *
 * @param expectAlias whether the alias is thought to exist
 * @throws KmsError when KMS refuses or cannot be reached; KeyManagerError when the alias belongs to somebody else
 */
export async function assignAlias(
  { kms, names, clock, log }: AliasAssignment,
  aliasName: string,
  keyArn: string,
  expectAlias: boolean,
): Promise<void> {
  const write = (exists: boolean) =>
    exists
      ? kms.updateAlias(aliasName, keyArn)
      : // NotFound here can only mean the key, which KMS may not show yet.
        whenVisible(clock, () => kms.createAlias(aliasName, keyArn));

  const isThereAfter = async (error: KmsError): Promise<boolean> => {
    const target = await targetOf(kms, aliasName);
    if (target?.arn === keyArn) return true;
    if (error.code === "AlreadyExists" && target !== undefined && names.isForeignDescription(target.description)) {
      throw new KeyManagerError(
        "FailedPrecondition",
        `alias ${aliasName} belongs to another trust domain (key ${target.arn}, description ${JSON.stringify(target.description)}); give this server another key_identifier_value`,
        { cause: error },
      );
    }
    return false;
  };

  let exists = expectAlias;
  for (let turn = 1; ; turn++) {
    try {
      await write(exists);
      log.debug(exists ? "Alias updated" : "Alias created", { alias_name: aliasName, key_arn: keyArn });
      return;
    } catch (error) {
      if (!isKmsError(error)) throw error;
      const flips = exists ? error.code === "NotFound" : error.code === "AlreadyExists";
      if ((flips || error.outcomeUnknown) && (await isThereAfter(error))) return;
      if (!flips || turn === maxTurns) throw error;
      log.warn("Alias state differs from what was known, healing it", { alias_name: aliasName, key_arn: keyArn });
      exists = !exists;
    }
  }
}
