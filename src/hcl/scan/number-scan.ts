/** Where a number ends, in both forms. */

/** What a number scan found: `end` is the offset after the number's text. */
export interface NumberScan {
  readonly type: "number" | "float";
  readonly end: number;
  readonly problem?: string;
}

/** True where an ASCII digit stands at `offset`. */
export function isDigitAt(text: string, offset: number): boolean {
  const unit = text.charCodeAt(offset);
  return unit >= 0x30 && unit <= 0x39;
}

function isExponentAt(text: string, offset: number): boolean {
  const char = text[offset];
  return char === "e" || char === "E";
}

/**
 * The digits from `offset` on. hcl1's scanners take NUL for the end of the input and so never put it back: a NUL
 * after digits belongs to the number (and spoils it). Only JSON can get here with one; the HCL lexer refuses NUL.
 */
function skipDigits(text: string, offset: number): number {
  let end = offset;
  while (isDigitAt(text, end)) end++;
  return end > offset && text[end] === "\0" ? end + 1 : end;
}

/** From the `e` on. Without digits hcl1 swallows one character, whatever it is: the number is then unreadable, but it ends there. */
function skipExponent(text: string, offset: number): number {
  let end = offset + 1;
  if (text[end] === "+" || text[end] === "-") end++;
  if (isDigitAt(text, end)) return skipDigits(text, end);
  const swallowed = text.codePointAt(end);
  return swallowed === undefined ? end : end + (swallowed > 0xffff ? 2 : 1);
}

/** What follows the integer digits: an exponent, a fraction, or nothing (then undefined). */
function scanFloatTail(text: string, offset: number): NumberScan | undefined {
  if (isExponentAt(text, offset)) return { type: "float", end: skipExponent(text, offset) };
  if (text[offset] !== ".") return undefined;
  const end = skipDigits(text, offset + 1);
  const exponent = isExponentAt(text, end) && text[end - 1] !== "\0";
  return { type: "float", end: exponent ? skipExponent(text, end) : end };
}

/** A number that starts with a point. hcl1 takes the letter of its exponent, but not the digits: `.5e3` is no number to it. */
export function scanPointFloat(text: string, offset: number): NumberScan | undefined {
  if (!isDigitAt(text, offset + 1)) return undefined;
  const end = skipDigits(text, offset + 1);
  return { type: "float", end: isExponentAt(text, end) && text[end - 1] !== "\0" ? end + 1 : end };
}

const hexPattern = /0[xX]([0-9a-fA-F]*)/y;

/** HCL: decimal, `0x…` hexadecimal, octal with a leading zero, fraction, exponent. `offset` is at the first digit. */
export function scanHclNumber(text: string, offset: number): NumberScan {
  hexPattern.lastIndex = offset;
  const hex = hexPattern.exec(text);
  if (hex) {
    const problem = hex[1] === "" ? { problem: "a hexadecimal digit after 0x" } : {};
    return { type: "number", end: offset + hex[0].length, ...problem };
  }
  const end = skipDigits(text, offset);
  const tail = scanFloatTail(text, end);
  if (tail) return tail;
  // hcl1 looks for 8 and 9 from the third character on only; `08` passes here and fails when its value is asked for.
  const isBadOctal = text[offset] === "0" && /[89]/.test(text.slice(offset + 2, end));
  return { type: "number", end, ...(isBadOctal ? { problem: "octal digits after a leading 0" } : {}) };
}

/** JSON: no hexadecimal, and no leading zero on an integer. `offset` is at the first digit. */
export function scanJsonNumber(text: string, offset: number): NumberScan {
  let end = skipDigits(text, offset);
  const tail = scanFloatTail(text, end);
  if (tail) return tail;
  if (text[end - 1] === "\0" && text[end] === "\0") end++;
  // hcl1 compares positions to find the extra digits, and its position also moves at the end of the input.
  const isZeroLed = text[offset] === "0" && (end > offset + 1 || end >= text.length);
  return { type: "number", end, ...(isZeroLed ? { problem: "no further digits after a leading 0" } : {}) };
}
