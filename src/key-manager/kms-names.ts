/**
 * Names of the older `kms` plugin: alias `alias/{key_prefix}{KEY_ID}`, description `{key_prefix}{KEY_ID}`.
 *
 * The original took every alias that contained the prefix anywhere. Here the prefix must stand at the beginning, and
 * exactly one segment must follow it, so that `SERVER_A/` does not take what `SERVER_A/b/` made.
 */
import { KeyManagerError } from "./errors.ts";
import { decodeKeyId, encodeKeyId } from "./key-id-encoding.ts";
import { aliasBehind, type KeyNames, maxAliasLength, type Reminders } from "./names.ts";

const setting = "key_prefix";

/** The ids that SPIRE gives its keys: the CA journal's slots, and the ACME keys of the bundle endpoint. */
const spireKeyId = /(?:x509-CA|JWT-Signer|WIT-Signer)-[AB]$|bundle-acme-./;

const isOneSegment = (text: string): boolean => text !== "" && !text.includes("/");

/**
 * Prefixes of other servers that a prefix without a slash at its end cannot be told from by their letters alone:
 * `prod-1` begins `prod-10`, too. What can be known is what follows the prefix.
 */
interface Boundary {
  /** What another server's prefix has beyond ours, where a key id of SPIRE's shows that. */
  siblingOf(segment: string): string | undefined;
  /** Why the segment may as well be another server's. */
  doubtAbout(segment: string, siblings: readonly string[]): string | undefined;
}

/** The prefix ends with a slash: the segment after it is the key id and nothing else. */
const closed: Boundary = { siblingOf: () => undefined, doubtAbout: () => undefined };

function open(keyPrefix: string): Boundary {
  const endsInDigit = /\d$/.test(keyPrefix);
  return {
    siblingOf(segment) {
      const index = segment.search(spireKeyId);
      return index > 0 ? segment.slice(0, index) : undefined;
    },
    doubtAbout(segment, siblings) {
      if (segment.search(spireKeyId) === 0) return undefined;
      if (endsInDigit && /^\d/.test(segment)) {
        const number = /^\d+/.exec(segment)?.[0] ?? "";
        return `it may belong to a server with ${setting} ${JSON.stringify(keyPrefix + number)}`;
      }
      const sibling = siblings.find((beginning) => segment.startsWith(beginning));
      if (sibling === undefined) return undefined;
      return `it may belong to the server with ${setting} ${JSON.stringify(keyPrefix + sibling)}`;
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
  return {
    setting,
    aliasFor(keyId) {
      const segment = encodeKeyId(keyId);
      const other = boundary.siblingOf(segment) ?? boundary.doubtAbout(segment, []);
      // A key under such a name would not be found again.
      if (other !== undefined) {
        throw new KeyManagerError(
          "InvalidArgument",
          `key id ${JSON.stringify(keyId)} cannot be told from another server's behind ${setting} ${JSON.stringify(keyPrefix)}; end ${setting} with a slash`,
        );
      }
      return aliasBehind(prefix, keyId, setting);
    },
    isOwnAlias(aliasName) {
      const segment = segmentOf(aliasName);
      return segment !== undefined && boundary.siblingOf(segment) === undefined;
    },
    doubtsAbout(aliasNames) {
      const found = aliasNames.flatMap((aliasName) => {
        const segment = segmentOf(aliasName);
        return segment === undefined ? [] : [{ aliasName, segment, sibling: boundary.siblingOf(segment) }];
      });
      const siblings = found.flatMap(({ sibling }) => sibling ?? []);
      const doubts = new Map<string, string>();
      for (const { aliasName, segment, sibling } of found) {
        const doubt = sibling === undefined ? boundary.doubtAbout(segment, siblings) : undefined;
        if (doubt !== undefined) doubts.set(aliasName, doubt);
      }
      return doubts;
    },
    keyIdOf(aliasName, description) {
      const segment = aliasName.slice(prefix.length);
      const described = isOwnDescription(description) ? description.slice(keyPrefix.length) : "";
      // The original wrote ids as they are: there `a_2eb` is no `a.b`.
      return described === segment || encodeKeyId(described) === segment ? described : decodeKeyId(segment);
    },
    descriptionFor: (keyId) => keyPrefix + keyId,
    // Behind a slash the alias is proof enough, as it was for the original, whatever somebody wrote into the description.
    isForeignDescription: (description) =>
      boundary !== closed && !isOwnDescription(description) && !/^SPIRE_SERVER(_KEY)?\//.test(description),
    isTrustDomainAlias: () => false,
    trustDomainOf: (description) => (isOwnDescription(description) ? "own" : "foreign"),
    reminders: remindersBehind(prefix),
  };
}
