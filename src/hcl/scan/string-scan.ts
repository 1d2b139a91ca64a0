/** Where a quoted string ends, in both forms. */
import type { HclErrorCode } from "../errors.ts";

/** `end` is the offset after the closing quote, or of the problem. */
export interface StringScan {
  readonly end: number;
  readonly problem?: HclErrorCode;
}

/** Escapes both scanners let pass; whether one names a character is decided when the value is read. */
const escapePattern = /\\(?:[abfnrtv\\"]|[0-7]{3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})/y;
const plainHcl = /[^"\n\\${}]+/y;
const plainJson = /[^"\n\\\0]+/y;

/** The offset after what the sticky pattern matches at `offset`, or `offset` itself. */
function skip(pattern: RegExp, text: string, offset: number): number {
  pattern.lastIndex = offset;
  return pattern.test(text) ? pattern.lastIndex : offset;
}

function skipEscape(text: string, offset: number): number | undefined {
  const end = skip(escapePattern, text, offset);
  return end === offset ? undefined : end;
}

/** An escape cut off by the end of the text is a missing quote, not a bad escape. */
function escapeProblem(text: string, offset: number): StringScan {
  const rest = text.slice(offset, offset + 10);
  const isCutOff = offset + rest.length === text.length && /^\\(?:[0-7]{0,2}|[xuU][0-9a-fA-F]*)$/.test(rest);
  return isCutOff ? { end: text.length, problem: "UNTERMINATED_STRING" } : { end: offset, problem: "INVALID_ESCAPE" };
}

/**
 * A quoted HCL string; `offset` is after the opening quote.
 *
 * Inside `${ … }` quotes and line ends are ordinary characters, braces are counted, and escapes are checked all the same.
 */
export function scanHclString(text: string, offset: number): StringScan {
  let braces = 0;
  let at = offset;
  while (at < text.length) {
    at = skip(plainHcl, text, at);
    const char = text[at];
    if (char === undefined) break;
    if (braces === 0 && char === '"') return { end: at + 1 };
    if (braces === 0 && char === "\n") break;
    if (char === "\\") {
      const end = skipEscape(text, at);
      if (end === undefined) return escapeProblem(text, at);
      at = end;
    } else if (braces === 0 && char === "$" && text[at + 1] === "{") {
      braces = 1;
      at += 2;
    } else {
      if (braces > 0 && char === "{") braces++;
      if (braces > 0 && char === "}") braces--;
      at++;
    }
  }
  return { end: at, problem: "UNTERMINATED_STRING" };
}

/** A quoted JSON string; `offset` is after the opening quote. The escapes are HCL's, so `\/` is none. */
export function scanJsonString(text: string, offset: number): StringScan {
  let at = offset;
  while (at < text.length) {
    at = skip(plainJson, text, at);
    const char = text[at];
    if (char === '"') return { end: at + 1 };
    if (char !== "\\") break;
    const end = skipEscape(text, at);
    if (end === undefined) return escapeProblem(text, at);
    at = end;
  }
  return { end: at, problem: "UNTERMINATED_STRING" };
}
