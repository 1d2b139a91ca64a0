/** The tokens of the JSON form. */
import { HclError, type HclErrorCode } from "../errors.ts";
import { describeCharacter } from "../scan/lexer.ts";
import { isDigitAt, scanJsonNumber, scanPointFloat } from "../scan/number-scan.ts";
import { PositionTracker } from "../scan/position-tracker.ts";
import { scanJsonString } from "../scan/string-scan.ts";
import type { Token, TokenType } from "../scan/token.ts";

const loneSurrogate = /[\uD800-\uDFFF]/u;
const blanks = /[ \t\r\n]*/y;
const wordPattern = /[\p{L}_][\p{L}\p{Nd}_-]*\0?/uy;
const wordTypes: ReadonlyMap<string, TokenType> = new Map([
  ["true", "bool"],
  ["false", "bool"],
  ["null", "null"],
]);
const punctuation: ReadonlySet<string> = new Set<TokenType>(["[", "]", "{", "}", ",", ".", ":"]);

/** Cuts the JSON form into tokens, as hcl1's JSON scanner does. Throws at the first error. */
export class JsonLexer {
  readonly #text: string;
  readonly #positions: PositionTracker;
  #offset = 0;

  constructor(source: string) {
    this.#text = source;
    this.#positions = new PositionTracker(source);
    const half = source.search(loneSurrogate);
    if (half >= 0) this.#failOnCharacter(half);
  }

  next(): Token {
    blanks.lastIndex = this.#offset;
    blanks.test(this.#text);
    const start = blanks.lastIndex;
    const position = this.#positions.at(start);
    const type = this.#scan(start);
    return { type, text: this.#text.slice(start, this.#offset), position };
  }

  /** Moves `offset` behind the token that starts at `start` and returns its type. */
  #scan(start: number): TokenType {
    const char = this.#text[start];
    if (char === undefined) {
      this.#offset = start;
      return "end";
    }
    // NUL reads as an end, but hcl1's scanner steps over it and can be asked for more.
    this.#offset = start + 1;
    if (char === "\0") return "end";
    if (char === '"') return this.#scanString(start);
    if (isDigitAt(this.#text, start)) return this.#scanNumber(start);
    if (char === "-" && isDigitAt(this.#text, start + 1)) return this.#scanNumber(start + 1);
    const float = char === "." ? scanPointFloat(this.#text, start) : undefined;
    if (float) {
      this.#offset = float.end;
      return float.type;
    }
    if (punctuation.has(char)) return char as TokenType;
    return this.#scanWord(start);
  }

  #scanString(start: number): TokenType {
    const scan = scanJsonString(this.#text, start + 1);
    if (scan.problem === "INVALID_ESCAPE") {
      this.#fail(scan.problem, "expected an escape sequence HCL knows after the backslash", scan.end);
    }
    if (scan.problem) this.#fail(scan.problem, 'expected a closing quote (") before the end of the line', start);
    this.#offset = scan.end;
    return "string";
  }

  #scanNumber(digits: number): TokenType {
    const scan = scanJsonNumber(this.#text, digits);
    if (scan.problem) this.#fail("INVALID_NUMBER", `expected ${scan.problem}`, digits);
    this.#offset = scan.end;
    return scan.type;
  }

  #scanWord(start: number): TokenType {
    wordPattern.lastIndex = start;
    const word = wordPattern.exec(this.#text)?.[0];
    if (word === undefined) return this.#failOnCharacter(start);
    const type = wordTypes.get(word);
    if (!type) return this.#fail("UNEXPECTED_TOKEN", "expected true, false or null, found a bare word", start);
    this.#offset = start + word.length;
    return type;
  }

  #failOnCharacter(offset: number): never {
    return this.#fail("INVALID_CHARACTER", `${describeCharacter(this.#text, offset)} is not allowed here`, offset);
  }

  #fail(code: HclErrorCode, message: string, offset: number): never {
    throw new HclError(code, message, this.#positions.at(offset));
  }
}
