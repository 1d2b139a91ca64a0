/**
 * How a server's keys are named in KMS.
 *
 * A naming scheme is all that differs between `aws_kms` and the older `kms` plugin; the key manager knows this
 * interface only.
 */
import { KeyManagerError } from "../../key-manager/errors.ts";
import { decodeBuiltInKeyId, decodeKeyId, encodeKeyId } from "../key-id-encoding.ts";

/** KMS's limit on an alias name, prefix included, in characters. */
export const maxAliasLength = 256;

export interface KeyNames {
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
  /** Description of a new key. */
  descriptionFor(keyId: string): string;
  /** Whether a key of this description certainly belongs to somebody else although its alias looks like ours. */
  isForeignDescription(description: string): boolean;
  /** Whether the alias has the form that servers of this trust domain give theirs, this server or another. */
  isTrustDomainAlias(aliasName: string): boolean;
  /**
   * Whose a key is by its description: `own` = this trust domain's; `shared` = of a trust domain that is written the
   * same in aliases, ours most likely; `foreign` = anything else.
   */
  trustDomainOf(description: string): "own" | "shared" | "foreign";
  /** For names without scans for stale keys: how a deletion that was not done in time is found again. */
  readonly reminders?: Reminders;
}

/** Aliases that mark keys still to be scheduled for deletion, so that the next process of this server finds them. */
export interface Reminders {
  /** @returns undefined when there is no room for one */
  aliasFor(keyArn: string): string | undefined;
  isReminder(aliasName: string): boolean;
}

/** The alias segment of a trust domain. `a.b` and `a_b` share one; only descriptions tell them apart. */
export function trustDomainSegment(trustDomain: string): string {
  return trustDomain.replaceAll(".", "_");
}

/** Server ids are joined into a path, so the built-in plugin's `path.Join` tidies them; the same id must give the same alias. */
const tidyPath = (path: string): string => path.split("/").filter(Boolean).join("/");

/**
 * The alias of a key id behind a prefix.
 *
 * @throws KeyManagerError `InvalidArgument` when KMS would refuse it for its length
 */
export function aliasBehind(prefix: string, keyId: string, setting: string): string {
  const aliasName = prefix + encodeKeyId(keyId);
  if (aliasName.length > maxAliasLength) {
    throw new KeyManagerError(
      "InvalidArgument",
      `key id ${JSON.stringify(keyId)} makes an alias of ${aliasName.length} characters, KMS allows ${maxAliasLength}; use a shorter key id or ${setting}`,
    );
  }
  return aliasName;
}

/**
 * Names of `aws_kms`: alias `alias/SPIRE_SERVER/{trust domain}/{server id}/{key id}`.
 *
 * @param trustDomain trust domain name, e.g. `example.org`
 * @param serverId the server's identifier; may contain `/`
 */
export function awsKmsNames(trustDomain: string, serverId: string): KeyNames {
  const setting = "key_identifier_value";
  const segment = trustDomainSegment(trustDomain);
  const prefix = `alias/SPIRE_SERVER/${segment}/${tidyPath(serverId)}/`;
  const builtInDescription = `SPIRE_SERVER_KEY/${segment}/`;
  const ownDescription = `SPIRE_SERVER/${trustDomain}`;
  const trustDomainPrefix = `alias/SPIRE_SERVER/${segment}/`;
  return {
    setting,
    aliasFor: (keyId) => aliasBehind(prefix, keyId, setting),
    isOwnAlias: (aliasName) =>
      aliasName.startsWith(prefix) && aliasName.length > prefix.length && !aliasName.slice(prefix.length).includes("/"),
    keyIdOf(aliasName, description) {
      const last = aliasName.slice(prefix.length);
      return description.startsWith(builtInDescription) ? decodeBuiltInKeyId(last) : decodeKeyId(last);
    },
    descriptionFor: () => ownDescription,
    isForeignDescription: (description) =>
      description.startsWith("SPIRE_SERVER/") &&
      description !== ownDescription &&
      trustDomainSegment(description.slice("SPIRE_SERVER/".length)) === segment,
    isTrustDomainAlias: (aliasName) =>
      aliasName.startsWith(trustDomainPrefix) && /^[^/]+(\/[^/]+)+$/.test(aliasName.slice(trustDomainPrefix.length)),
    trustDomainOf(description) {
      if (description === ownDescription) return "own";
      return description.startsWith(builtInDescription) && description.length > builtInDescription.length
        ? "shared"
        : "foreign";
    },
  };
}
