/** How `aws_kms` names a server's keys in KMS. */
import type { KeyNames, TakenOverKeys } from "../../key-manager/names.ts";
import { aliasBehind, decodeBuiltInKeyId, decodeKeyId, encodeKeyId } from "../key-id-encoding.ts";

/** The alias segment of a trust domain. `a.b` and `a_b` share one; only descriptions tell them apart. */
export function trustDomainSegment(trustDomain: string): string {
  return trustDomain.replaceAll(".", "_");
}

/** Server ids are joined into a path, so the built-in plugin's `path.Join` tidies them; the same id must give the same alias. */
export const tidyPath = (path: string): string => path.split("/").filter(Boolean).join("/");

/** The older `kms` plugin describes a key as `{key_prefix}{KEY_ID}` and puts the same behind `alias/`. */
const keysOfKms: TakenOverKeys = {
  isDescription: (description, keyId) =>
    description.endsWith(keyId) && /^[A-Za-z0-9/_-]+$/.test(description.slice(0, -keyId.length)),
  // The older plugin refreshes nothing, so the alias does not tell whether its server still runs: `finish` comes after it has stopped.
  isAlias: ({ aliasName }, description, keyId) =>
    keysOfKms.isDescription(description, keyId) &&
    aliasName === `alias/${description.slice(0, -keyId.length)}${encodeKeyId(keyId)}`,
};

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
  const isTrustDomainAlias = (aliasName: string) =>
    aliasName.startsWith(trustDomainPrefix) && /^[^/]+(\/[^/]+)+$/.test(aliasName.slice(trustDomainPrefix.length));
  const decode = (last: string, description: string) =>
    description.startsWith(builtInDescription) ? decodeBuiltInKeyId(last) : decodeKeyId(last);
  return {
    serverId: tidyPath(serverId),
    setting,
    aliasFor: (keyId) => aliasBehind(prefix, keyId, setting),
    isOwnAlias: (aliasName) =>
      aliasName.startsWith(prefix) && aliasName.length > prefix.length && !aliasName.slice(prefix.length).includes("/"),
    keyIdOf: (aliasName, description) => decode(aliasName.slice(prefix.length), description),
    ownerOf(aliasName, description) {
      if (!isTrustDomainAlias(aliasName)) return undefined;
      const last = aliasName.lastIndexOf("/");
      return {
        serverId: aliasName.slice(trustDomainPrefix.length, last),
        keyId: decode(aliasName.slice(last + 1), description),
      };
    },
    descriptionFor: () => ownDescription,
    isForeignDescription: (description) =>
      description.startsWith("SPIRE_SERVER/") &&
      description !== ownDescription &&
      trustDomainSegment(description.slice("SPIRE_SERVER/".length)) === segment,
    isTrustDomainAlias,
    mayHaveTwin: segment.includes("_"),
    takenOver: keysOfKms,
    trustDomainOf(description) {
      if (description === ownDescription) return "own";
      return description.startsWith(builtInDescription) && description.length > builtInDescription.length
        ? "shared"
        : "foreign";
    },
  };
}
