/** The tokens of the native form. */
import { HclError, type HclErrorCode } from "../errors.ts";
import { scanHeredoc } from "./heredoc.ts";
import { isDigitAt, scanHclNumber, scanPointFloat } from "./number-scan.ts";
import { PositionTracker } from "./position-tracker.ts";
import { scanHclString } from "./string-scan.ts";
import type { Token, TokenType } from "./token.ts";

/** NUL, the private character hcl1's printer uses internally, and surrogates without a partner: allowed nowhere, comments included. */
const forbiddenCharacter = /[\0\uE123\uD800-\uDFFF]/u;
const blanks = /[ \t\r\n]*/y;
const identPattern = /[\p{L}_][\p{L}\p{Nd}_.-]*/uy;
const lineComment = /[^\n]*/y;
const punctuation: ReadonlySet<string> = new Set<TokenType>(["[", "]", "{", "}", ",", ".", "=", "+", "-"]);

const messages: Partial<Record<HclErrorCode, string>> = {
  UNTERMINATED_STRING: 'expected a closing quote (") before the end of the line',
  UNTERMINATED_HEREDOC: "expected the closing anchor of the heredoc on a line of its own, followed by a line end",
  INVALID_HEREDOC: "expected a heredoc anchor (letters and digits after <<) and the end of the line",
  INVALID_ESCAPE: "expected an escape sequence HCL knows after the backslash",
};

/** The offset after what the sticky pattern matches at `offset`, or `offset` itself. */
function skip(pattern: RegExp, text: string, offset: number): number {
  pattern.lastIndex = offset;
  return pattern.test(text) ? pattern.lastIndex : offset;
}

/** How a character is shown in a message: U+FEFF rather than the invisible thing itself. */
export function describeCharacter(text: string, offset: number): string {
  const code = text.codePointAt(offset) ?? 0;
  const hex = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
  return code > 0x20 && code < 0x7f ? `"${String.fromCodePoint(code)}" (${hex})` : hex;
}

/** Cuts HCL text into tokens, as hcl1's scanner does; comments are skipped. Throws at the first error. */
export class Lexer {
  readonly #text: string;
  readonly #positions: PositionTracker;
  #offset = 0;

  constructor(source: string) {
    this.#text = source.replaceAll("\r\n", "\n");
    this.#positions = new PositionTracker(this.#text);
    const forbidden = this.#text.search(forbiddenCharacter);
    if (forbidden >= 0) this.#failOnCharacter(forbidden);
  }

  next(): Token {
    this.#skipBlanksAndComments();
    const start = this.#offset;
    const position = this.#positions.at(start);
    const type = this.#scan(start);
    return { type, text: this.#text.slice(start, this.#offset), position };
  }

  #skipBlanksAndComments(): void {
    for (;;) {
      this.#offset = skip(blanks, this.#text, this.#offset);
      const char = this.#text[this.#offset];
      const following = this.#text[this.#offset + 1];
      if (char === "#" || (char === "/" && following === "/")) {
        this.#offset = skip(lineComment, this.#text, this.#offset);
      } else if (char === "/" && following === "*") {
        const close = this.#text.indexOf("*/", this.#offset + 2);
        if (close < 0) this.#fail("UNTERMINATED_COMMENT", 'expected "*/" to end the comment', this.#offset);
        this.#offset = close + 2;
      } else {
        return;
      }
    }
  }

  /** Moves `offset` behind the token that starts at `start` and returns its type. */
  #scan(start: number): TokenType {
    const char = this.#text[start];
    if (char === undefined) return "end";
    const identEnd = skip(identPattern, this.#text, start);
    if (identEnd > start) {
      this.#offset = identEnd;
      const word = this.#text.slice(start, identEnd);
      return word === "true" || word === "false" ? "bool" : "ident";
    }
    if (char === '"') return this.#accept("string", start, scanHclString(this.#text, start + 1));
    if (char === "<") return this.#accept("heredoc", start, scanHeredoc(this.#text, start));
    if (isDigitAt(this.#text, start)) return this.#scanNumber(start);
    if (char === "-" && isDigitAt(this.#text, start + 1)) return this.#scanNumber(start + 1);
    const float = char === "." ? scanPointFloat(this.#text, start) : undefined;
    this.#offset = float?.end ?? start + 1;
    if (float) return float.type;
    if (punctuation.has(char)) return char as TokenType;
    return this.#failOnCharacter(start);
  }

  #accept(type: TokenType, start: number, scan: { end: number; problem?: HclErrorCode }): TokenType {
    if (scan.problem) {
      // A missing end is reported where the thing began: that is the line to look at.
      const isUnterminated = scan.problem.startsWith("UNTERMINATED");
      return this.#fail(scan.problem, messages[scan.problem] ?? "", isUnterminated ? start : scan.end);
    }
    this.#offset = scan.end;
    return type;
  }

  #scanNumber(digits: number): TokenType {
    const scan = scanHclNumber(this.#text, digits);
    if (scan.problem) this.#fail("INVALID_NUMBER", `expected ${scan.problem}`, digits);
    this.#offset = scan.end;
    return scan.type;
  }

  #failOnCharacter(offset: number): never {
    return this.#fail("INVALID_CHARACTER", `${describeCharacter(this.#text, offset)} is not allowed here`, offset);
  }

  #fail(code: HclErrorCode, message: string, offset: number): never {
    throw new HclError(code, message, this.#positions.at(offset));
  }
}
