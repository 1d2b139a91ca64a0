/**
 * Names of the older `kms` plugin: alias `alias/{key_prefix}{KEY_ID}`, description `{key_prefix}{KEY_ID}`.
 *
 * The original took every alias that contained the prefix anywhere. Here the prefix must stand at the beginning, and
 * exactly one segment must follow it, so that `SERVER_A/` does not take what `SERVER_A/b/` made.
 */
import { KeyManagerError } from "../../key-manager/errors.ts";
import type { KeyNames, Reminders, TakenOverKeys } from "../../key-manager/names.ts";
import type { AliasListEntry } from "../../key-manager/ports.ts";
import { aliasBehind, decodeKeyId, encodeKeyId, maxAliasLength } from "../key-id-encoding.ts";

const setting = "key_prefix";

/** The ids that SPIRE gives its keys: the CA journal's slots, and the ACME keys of the bundle endpoint. */
const spireKeyId = /(?:x509-CA|JWT-Signer|WIT-Signer)-[AB]$|bundle-acme-./;

const isOneSegment = (text: string): boolean => text !== "" && !text.includes("/");

const isSpireKeyId = (segment: string): boolean => segment.search(spireKeyId) === 0;

/** What tells two prefixes apart of which one begins the other, like `prod-1` and `prod-10`. */
interface Boundary {
  /** The prefix of the other server whose key the segment after ours certainly stands for, by an id of SPIRE's. */
  otherPrefixOf(segment: string): string | undefined;
  /** Why the segment may as well be another server's. */
  doubtAbout(segment: string, otherPrefixes: readonly string[]): string | undefined;
}

/** The prefix ends with a slash: the segment after it is the key id and nothing else. */
const closed: Boundary = { otherPrefixOf: () => undefined, doubtAbout: () => undefined };

function open(keyPrefix: string): Boundary {
  /** `web`, where we are `webb` and the segment is `undle-acme-…`. */
  const shorterPrefixOf = (segment: string): string | undefined => {
    for (let length = keyPrefix.length - 1; length > 0; length--) {
      if (isSpireKeyId(keyPrefix.slice(length) + segment)) return keyPrefix.slice(0, length);
    }
    return undefined;
  };
  return {
    otherPrefixOf(segment) {
      const index = segment.search(spireKeyId);
      if (index === 0) return undefined;
      return index > 0 ? keyPrefix + segment.slice(0, index) : shorterPrefixOf(segment);
    },
    doubtAbout(segment, otherPrefixes) {
      if (isSpireKeyId(segment)) return undefined;
      if (/\d$/.test(keyPrefix) && /^\d/.test(segment)) {
        const number = /^\d+/.exec(segment)?.[0] ?? "";
        return `it may belong to a server with ${setting} ${JSON.stringify(keyPrefix + number)}`;
      }
      const other = otherPrefixes.find((prefix) => (keyPrefix + segment).startsWith(prefix));
      return other === undefined ? undefined : `it may belong to the server with ${setting} ${JSON.stringify(other)}`;
    },
  };
}

/** `alias/{key_prefix}replaced/{KMS key id}`: two segments after the prefix, so never a key id's alias. */
function remindersBehind(prefix: string): Reminders {
  const beginning = `${prefix}replaced/`;
  return {
    aliasFor(keyArn) {
      const aliasName = beginning + keyArn.slice(keyArn.lastIndexOf("/") + 1);
      return aliasName.length > maxAliasLength ? undefined : aliasName;
    },
    isReminder: (aliasName) => aliasName.startsWith(beginning) && isOneSegment(aliasName.slice(beginning.length)),
  };
}

/** KMS writes both dates of an alias at once; they stay equal until the alias is pointed again. */
const isNeverRefreshed = ({ creationDate, lastUpdatedDate }: AliasListEntry): boolean =>
  creationDate !== undefined && lastUpdatedDate !== undefined && lastUpdatedDate.getTime() <= creationDate.getTime();

/**
 * A migration to `aws_kms` puts that plugin's alias beside ours. As long as no server has refreshed it none lives by it, and
 * `aws_kms` refreshes within minutes after its start.
 */
const keysOfAwsKms: TakenOverKeys = {
  isDescription: () => false,
  isAlias: (alias, _description, keyId) =>
    /^alias\/SPIRE_SERVER\/[^/]+\/./.test(alias.aliasName) &&
    alias.aliasName.endsWith(`/${encodeKeyId(keyId)}`) &&
    isNeverRefreshed(alias),
};

/** @param keyPrefix as configured; a checked `key_prefix` */
export function kmsNames(keyPrefix: string): KeyNames {
  const prefix = `alias/${keyPrefix}`;
  const boundary = keyPrefix.endsWith("/") ? closed : open(keyPrefix);
  const segmentOf = (aliasName: string): string | undefined => {
    const segment = aliasName.startsWith(prefix) ? aliasName.slice(prefix.length) : "";
    return isOneSegment(segment) ? segment : undefined;
  };
  const isOwnDescription = (description: string) =>
    description.startsWith(keyPrefix) && description.length > keyPrefix.length;
  const isOwnAlias = (aliasName: string): boolean => {
    const segment = segmentOf(aliasName);
    return segment !== undefined && boundary.otherPrefixOf(segment) === undefined;
  };
  const keyIdOf = (aliasName: string, description: string): string => {
    const segment = aliasName.slice(prefix.length);
    const described = isOwnDescription(description) ? description.slice(keyPrefix.length) : "";
    // The original wrote ids as they are: there `a_2eb` is no `a.b`.
    return described === segment || encodeKeyId(described) === segment ? described : decodeKeyId(segment);
  };
  return {
    serverId: keyPrefix,
    setting,
    aliasFor(keyId) {
      const segment = encodeKeyId(keyId);
      const other = boundary.otherPrefixOf(segment) ?? boundary.doubtAbout(segment, []);
      // A key under such a name would not be found again.
      if (other !== undefined) {
        throw new KeyManagerError(
          "INVALID_ARGUMENT",
          `key id ${JSON.stringify(keyId)} cannot be told from another server's behind ${setting} ${JSON.stringify(keyPrefix)}; end ${setting} with a slash`,
        );
      }
      return aliasBehind(prefix, keyId, setting);
    },
    isOwnAlias,
    doubtsAbout(aliasNames) {
      const found = aliasNames.flatMap((aliasName) => {
        const segment = segmentOf(aliasName);
        return segment === undefined ? [] : [{ aliasName, segment, other: boundary.otherPrefixOf(segment) }];
      });
      // What two prefixes could claim goes to the longer one: never to both.
      const longer = found.flatMap(({ other = "" }) => (other.length > keyPrefix.length ? [other] : []));
      const doubts = new Map<string, string>();
      for (const { aliasName, segment, other } of found) {
        const doubt = other === undefined ? boundary.doubtAbout(segment, longer) : undefined;
        if (doubt !== undefined) doubts.set(aliasName, doubt);
      }
      return doubts;
    },
    isAmbiguous: (aliasName) => boundary !== closed && !isSpireKeyId(aliasName.slice(prefix.length)),
    keyIdOf,
    ownerOf: (aliasName, description) =>
      isOwnAlias(aliasName) ? { serverId: keyPrefix, keyId: keyIdOf(aliasName, description) } : undefined,
    descriptionFor: (keyId) => keyPrefix + keyId,
    // Behind a slash the alias is proof enough, as it was for the original, whatever the description says.
    isForeignDescription: (description) =>
      boundary !== closed && !isOwnDescription(description) && !/^SPIRE_SERVER(_KEY)?\//.test(description),
    isTrustDomainAlias: () => false,
    mayHaveTwin: false,
    takenOver: keysOfAwsKms,
    trustDomainOf(description) {
      if (!isOwnDescription(description)) return "foreign";
      return boundary === closed || isSpireKeyId(description.slice(keyPrefix.length)) ? "own" : "foreign";
    },
    reminders: remindersBehind(prefix),
  };
}
