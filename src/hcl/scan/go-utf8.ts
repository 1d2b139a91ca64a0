/** Bytes that are not quite UTF-8, read as Go reads them. */

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const replacement = 0xfffd;

/** Length of the well-formed UTF-8 sequence at `at`, or 0. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] ?? 0;
  if (lead < 0x80) return 1;
  const length =
    lead >= 0xc2 && lead <= 0xdf ? 2 : lead >= 0xe0 && lead <= 0xef ? 3 : lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  for (let i = 1; i < length; i++) if (((bytes[at + i] ?? 0) & 0xc0) !== 0x80) return 0;
  const second = bytes[at + 1] ?? 0;
  // Overlong forms, surrogates, and code points past U+10FFFF.
  if (lead === 0xe0 && second < 0xa0) return 0;
  if (lead === 0xed && second > 0x9f) return 0;
  if (lead === 0xf0 && second < 0x90) return 0;
  if (lead === 0xf4 && second > 0x8f) return 0;
  return length;
}

/**
 * Bytes to text as Go does it where a string of its own must become Unicode (JSON encoding, `range`): each byte
 * that belongs to no character becomes one U+FFFD. TextDecoder would join several bytes into one.
 */
export function decodeUtf8LikeGo(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    let text = "";
    let start = 0;
    for (let at = 0; at < bytes.length; ) {
      const length = sequenceLength(bytes, at);
      if (length === 0) {
        text += strict.decode(bytes.subarray(start, at)) + String.fromCharCode(replacement);
        start = at + 1;
      }
      at += length === 0 ? 1 : length;
    }
    return text + strict.decode(bytes.subarray(start));
  }
}
