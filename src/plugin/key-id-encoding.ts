/**
 * SPIRE key ids as one segment of a KMS alias, and back.
 *
 * KMS takes letters, digits, `/`, `_` and `-` in an alias. SPIRE's built-in plugin writes `.` as `_2e` and `+` as `_2b`
 * and leaves everything else alone, which loses ids that contain `_2e` themselves and ids with other characters. Here
 * every byte (UTF-8) that is not a letter, digit, `_` or `-` becomes `_` and two lower-case hex digits, and an `_` that
 * would be read back as the start of such an escape is itself written `_5f`. Ids without such characters, and with
 * only `.` and `+`, come out as the built-in writes them.
 *
 * `/` is written `_2f` although KMS would take it: a key id is exactly one segment, so that server `a` with key `b/x`
 * and server `a/b` with key `x` never share an alias (docs/decisions/0005).
 */
import { KeyManagerError } from "../key-manager/errors.ts";

const underscore = 0x5f;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

const isPlain = (byte: number): boolean =>
  (byte >= 0x30 && byte <= 0x39) ||
  (byte >= 0x41 && byte <= 0x5a) ||
  (byte >= 0x61 && byte <= 0x7a) ||
  byte === underscore ||
  byte === 0x2d;

const escapeByte = (byte: number): string => `_${byte.toString(16).padStart(2, "0")}`;

/** The byte that `_hh` at `index` stands for, or undefined where no such form stands. */
function escapedByteAt(text: string, index: number): number | undefined {
  const match = /^_([0-9a-f]{2})$/.exec(text.slice(index, index + 3));
  return match?.[1] === undefined ? undefined : Number.parseInt(match[1], 16);
}

const utf8Length = (lead: number): number =>
  lead >= 0xf0 && lead <= 0xf4 ? 4 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xc2 && lead < 0xe0 ? 2 : 0;

interface Escape {
  readonly character: string;
  /** Length of the escape in the encoded text. */
  readonly length: number;
}

/**
 * The escape that starts at `index`. Only what the encoder can have written counts: an escaped byte below 0x80 that it
 * escapes, or a whole UTF-8 sequence of escaped bytes. So `_ac` in `acme_account` is no escape, being no character.
 */
function escapeAt(text: string, index: number): Escape | undefined {
  const lead = escapedByteAt(text, index);
  if (lead === undefined) return undefined;
  if (lead < 0x80) {
    return isPlain(lead) && lead !== underscore ? undefined : { character: String.fromCharCode(lead), length: 3 };
  }
  const bytes: number[] = [];
  for (let i = 0; i < utf8Length(lead); i++) {
    const byte = escapedByteAt(text, index + 3 * i);
    if (byte === undefined) return undefined;
    bytes.push(byte);
  }
  if (bytes.length === 0) return undefined;
  try {
    return { character: decoder.decode(Uint8Array.from(bytes)), length: 3 * bytes.length };
  } catch {
    return undefined;
  }
}

/** Encodes a SPIRE key id as an alias segment. Reversible for every well-formed string. */
export function encodeKeyId(keyId: string): string {
  let encoded = "";
  for (let index = 0; index < keyId.length; ) {
    const character = String.fromCodePoint(keyId.codePointAt(index) ?? 0);
    if (character === "_") {
      encoded += escapeAt(keyId, index) === undefined ? "_" : escapeByte(underscore);
    } else {
      for (const byte of encoder.encode(character))
        encoded += isPlain(byte) ? String.fromCharCode(byte) : escapeByte(byte);
    }
    index += character.length;
  }
  return encoded;
}

/** Decodes an alias segment that {@link encodeKeyId} made; text that is no escape stands for itself. */
export function decodeKeyId(segment: string): string {
  let decoded = "";
  for (let index = 0; index < segment.length; ) {
    const found = segment[index] === "_" ? escapeAt(segment, index) : undefined;
    decoded += found?.character ?? segment[index];
    index += found?.length ?? 1;
  }
  return decoded;
}

/** Decodes an alias segment as SPIRE's built-in plugin does. */
export function decodeBuiltInKeyId(segment: string): string {
  return segment.replaceAll("_2e", ".").replaceAll("_2b", "+");
}

/** KMS's limit on an alias name, prefix included, in characters. */
export const maxAliasLength = 256;

/**
 * The alias of a key id behind a prefix.
 *
 * @throws KeyManagerError `InvalidArgument` when KMS would refuse it for its length
 */
export function aliasBehind(prefix: string, keyId: string, setting: string): string {
  const aliasName = prefix + encodeKeyId(keyId);
  if (aliasName.length > maxAliasLength) {
    throw new KeyManagerError(
      "INVALID_ARGUMENT",
      `key id ${JSON.stringify(keyId)} makes an alias of ${aliasName.length} characters, KMS allows ${maxAliasLength}; use a shorter key id or ${setting}`,
    );
  }
  return aliasName;
}
