/**
 * How a server's keys are named in KMS.
 *
 * A naming scheme is most of what one plugin has that another has not; the engine knows this interface only.
 */
import type { AliasListEntry } from "./ports.ts";

/** Whose an alias is, by its name alone. */
export interface AliasOwner {
  /** The server id; of the older plugin the key prefix. */
  readonly serverId: string;
  /** SPIRE key id. */
  readonly keyId: string;
}

export interface KeyNames {
  /** This server, as {@link AliasOwner} has it. */
  readonly serverId: string;
  /** The setting that gives a server other names, for messages. */
  readonly setting: string;
  /** @throws KeyManagerError `InvalidArgument` for a key id that these names cannot hold, or whose alias would be too long */
  aliasFor(keyId: string): string;
  /** Whether the alias is one of this server's; compared at whole path segments. */
  isOwnAlias(aliasName: string): boolean;
  /** Among all aliases of the account: own ones that may as well be another server's, each with the reason. */
  doubtsAbout?(aliasNames: readonly string[]): ReadonlyMap<string, string>;
  /** Whether an own alias could be another server's for all that its name tells: it is never taken off a key in use. */
  isAmbiguous?(aliasName: string): boolean;
  /** The SPIRE key id behind one of this server's aliases; the key's description tells which plugin encoded it. */
  keyIdOf(aliasName: string, description: string): string;
  /** For an alias of the form that these names give: the server that named it so, this one or another; undefined for any other. */
  ownerOf(aliasName: string, description: string): AliasOwner | undefined;
  /** Description of a new key. */
  descriptionFor(keyId: string): string;
  /** Whether a key of this description is certainly not ours although its alias looks like ours. */
  isForeignDescription(description: string): boolean;
  /** Whether the alias has the form that servers of this trust domain give theirs, this server or another. */
  isTrustDomainAlias(aliasName: string): boolean;
  /**
   * Whose a key is by its description: `own` = this trust domain's; `shared` = of a trust domain that is written the
   * same in aliases, ours most likely; `foreign` = anything else.
   */
  trustDomainOf(description: string): "own" | "shared" | "foreign";
  /** Whether another trust domain's aliases could look the same as ours: `a.b` and `a_b` do. */
  readonly mayHaveTwin: boolean;
  /** For names under which keys of other names may have been taken over (`spire-aws-kms migrate`). */
  readonly takenOver?: TakenOverKeys;
  /** For names without scans for stale keys: how a deletion that was not done in time is found again. */
  readonly reminders?: Reminders;
}

/** Aliases that mark keys still to be scheduled for deletion, so that the next process of this server finds them. */
export interface Reminders {
  /** @returns undefined when there is no room for one */
  aliasFor(keyArn: string): string | undefined;
  isReminder(aliasName: string): boolean;
}

/**
 * Keys that another plugin made under its own names, and that `spire-aws-kms migrate` gives a second name while a server
 * moves. Their description stays for life.
 */
export interface TakenOverKeys {
  /** Whether the description is of the form that the other plugin gives a key of this id. */
  isDescription(description: string, keyId: string): boolean;
  /** Whether the alias is the one that the other plugin gives the key of this description and id, and no server lives by it. */
  isAlias(alias: AliasListEntry, description: string, keyId: string): boolean;
}
