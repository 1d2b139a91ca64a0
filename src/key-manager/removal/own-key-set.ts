/** The members in other Regions of a key that this server has replaced. */
import type { KeySetRequest } from "../deletions.ts";
import type { Setup } from "../setup.ts";
import { whyOwnKeyStays } from "./ownership.ts";

export interface OwnKeyName {
  readonly keyId: string;
  readonly aliasName: string;
}

/** @returns undefined for a server without replicas: a key that has some stays */
export function ownKeySet(
  { regions, names, tags }: Setup,
  { keyId, aliasName }: OwnKeyName,
): KeySetRequest | undefined {
  const { lookedAfter } = regions;
  if (lookedAfter.length === 0) return undefined;
  return {
    regions,
    whyMemberStays: async (facts, { region }) => {
      const aliases = facts.aliases.filter((alias) => alias.aliasName !== aliasName);
      const reason = whyOwnKeyStays({ ...facts, aliases }, { names, keyId, lookedAfter });
      if (reason !== undefined) return { spared: `in ${region} ${reason}` };
      if (aliases.length === facts.aliases.length) return undefined;
      // A standby there lives by it until the replica of the new key has it.
      return { notYet: `alias ${aliasName} still stands on it in ${region}` };
    },
    markInactive: (keyArn, kms) => tags.with(kms).markInactive(keyArn),
  };
}
