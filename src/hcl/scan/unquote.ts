/** What a quoted string says, its escapes read. */
import { decodeUtf8LikeGo } from "./go-utf8.ts";

const maxCodePoint = 0x10ffff;
const simpleEscapes: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  '"': '"',
};

/** A piece of the value: text, or one byte that may be part of a UTF-8 sequence. */
type Piece = string | number;

function join(pieces: readonly Piece[]): string {
  if (pieces.every((piece) => typeof piece === "string")) return pieces.join("");
  return decodeUtf8LikeGo(
    Buffer.concat(pieces.map((piece) => (typeof piece === "string" ? Buffer.from(piece, "utf8") : Buffer.of(piece)))),
  );
}

/** `\xHH` and `\ooo` name bytes, not characters: `"\xc3\xa9"` is é. */
function bytePiece(byte: number): Piece {
  return byte < 0x80 ? String.fromCharCode(byte) : byte;
}

function isSurrogate(codePoint: number): boolean {
  return codePoint >= 0xd800 && codePoint <= 0xdfff;
}

interface Escape {
  readonly piece: Piece;
  readonly end: number;
}

/** The escape at the backslash at `at`, already known to be well formed; undefined when it names no character. */
function readEscape(text: string, at: number, form: "hcl" | "json"): Escape | undefined {
  const letter = text[at + 1] ?? "";
  const simple = simpleEscapes[letter];
  if (simple !== undefined) return { piece: simple, end: at + 2 };
  if (letter >= "0" && letter <= "7") {
    const byte = Number.parseInt(text.slice(at + 1, at + 4), 8);
    return byte > 0xff ? undefined : { piece: bytePiece(byte), end: at + 4 };
  }
  const digits = letter === "x" ? 2 : letter === "u" ? 4 : 8;
  const end = at + 2 + digits;
  const code = Number.parseInt(text.slice(at + 2, end), 16);
  if (letter === "x") return { piece: bytePiece(code), end };
  if (form === "json") {
    // hcl1 reads JSON strings with Go's own unquoting, which knows no surrogate pairs.
    if (code > maxCodePoint || isSurrogate(code)) return undefined;
    return { piece: String.fromCodePoint(code), end };
  }
  // A 32-bit overflow in hcl1: from 80000000 on the number is negative, passes as small, and leaves its low byte.
  if (code > 0x7fffffff) return { piece: bytePiece(code & 0xff), end };
  if (code > maxCodePoint) return undefined;
  return { piece: isSurrogate(code) ? "\ufffd" : String.fromCodePoint(code), end };
}

/** The offset after the `}` that closes the `${` at `at`; undefined when hcl1 refuses what is inside. */
function skipInterpolation(text: string, at: number): number | undefined {
  let braces = 1;
  for (let end = at + 2; end < text.length; end++) {
    const char = text[end];
    // hcl1 takes a genuine U+FFFD for a decoding error here.
    if (char === "\ufffd") return undefined;
    if (char === "{") braces++;
    if (char === "}" && --braces === 0) return end + 1;
  }
  return undefined;
}

/**
 * The value of a quoted string that has passed its scanner, given without its quotes.
 *
 * In HCL a `${ … }` sequence is copied as it stands; JSON has no such thing.
 * Returns undefined where hcl1 panics: an escape that names no character, U+FFFD inside `${ … }`.
 */
export function unquote(text: string, form: "hcl" | "json"): string | undefined {
  const special = form === "hcl" ? /\\|\$\{/g : /\\/g;
  const pieces: Piece[] = [];
  let at = 0;
  for (let match = special.exec(text); match; match = special.exec(text)) {
    pieces.push(text.slice(at, match.index));
    if (match[0] === "\\") {
      const escaped = readEscape(text, match.index, form);
      if (!escaped) return undefined;
      pieces.push(escaped.piece);
      at = escaped.end;
    } else {
      const end = skipInterpolation(text, match.index);
      if (end === undefined) return undefined;
      pieces.push(text.slice(match.index, end));
      at = end;
    }
    special.lastIndex = at;
  }
  pieces.push(text.slice(at));
  return join(pieces);
}
