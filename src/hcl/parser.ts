/** The grammar of the native form. */
import { HclError } from "./errors.ts";
import { Lexer } from "./scan/lexer.ts";
import { describeToken, type Token } from "./scan/token.ts";
import { checkNesting, type SyntaxItem, type SyntaxNode, type SyntaxObject } from "./syntax.ts";

/** The grammar of HCL text, as hcl1's parser has it. Throws HclError at the first thing that does not fit. */
export class Parser {
  readonly #lexer: Lexer;
  #buffered: Token | undefined;

  constructor(source: string) {
    this.#lexer = new Lexer(source);
  }

  parse(): SyntaxObject {
    const items = this.#parseItems(undefined, 1);
    return { kind: "object", items, position: { line: 1, column: 1 } };
  }

  #peek(): Token {
    this.#buffered ??= this.#lexer.next();
    return this.#buffered;
  }

  #take(): Token {
    const token = this.#peek();
    this.#buffered = undefined;
    return token;
  }

  /** Items up to `closing` (not taken) or the end of the text. Nothing separates items; one comma after each is allowed. */
  #parseItems(closing: "}" | undefined, depth: number): SyntaxItem[] {
    const items: SyntaxItem[] = [];
    while (closing === undefined || this.#peek().type !== closing) {
      const item = this.#parseItem(depth);
      if (!item) break;
      items.push(item);
      if (this.#peek().type === ",") this.#take();
    }
    return items;
  }

  /** One item, or undefined at the end of the text. `key =` cut off there is no error to hcl1: the key is dropped. */
  #parseItem(depth: number): SyntaxItem | undefined {
    const keys: Token[] = [];
    for (;;) {
      const token = this.#take();
      if (token.type === "ident" || token.type === "string") {
        keys.push(token);
      } else if (token.type === "end" && keys.length === 0) {
        return undefined;
      } else if (token.type === "=" && keys.length === 1) {
        if (this.#peek().type === "end") return undefined;
        return { keys, value: this.#parseValue(depth), isAssigned: true };
      } else if (token.type === "{" && keys.length > 0) {
        return { keys, value: this.#parseObject(token, depth + keys.length), isAssigned: false };
      } else {
        return this.#unexpected(this.#expectedInItem(keys.length), token);
      }
    }
  }

  #expectedInItem(keyCount: number): string {
    if (keyCount === 0) return "a key";
    return keyCount === 1 ? 'a value ("=" or "{") after the key' : '"{" after the labels';
  }

  #parseValue(depth: number): SyntaxNode {
    const token = this.#take();
    switch (token.type) {
      case "number":
      case "float":
      case "bool":
      case "string":
      case "heredoc":
        return { kind: "literal", token };
      case "{":
        return this.#parseObject(token, depth + 1);
      case "[":
        return this.#parseList(token, depth + 1);
      default:
        return this.#unexpected("a value", token);
    }
  }

  /** The rest of an object whose `{` has been taken. */
  #parseObject(open: Token, depth: number): SyntaxObject {
    checkNesting(depth, open.position);
    const items = this.#parseItems("}", depth);
    const close = this.#take();
    if (close.type !== "}") this.#unexpected('"}"', close);
    return { kind: "object", items, position: open.position };
  }

  /**
   * The rest of a list whose `[` has been taken. hcl1 is lax about commas: any number of them may stand anywhere,
   * and none is wanted after a nested list.
   */
  #parseList(open: Token, depth: number): SyntaxNode {
    checkNesting(depth, open.position);
    const items: SyntaxNode[] = [];
    let needsComma = false;
    for (;;) {
      const { type } = this.#peek();
      if (type === "]" || type === ",") {
        this.#take();
        if (type === "]") return { kind: "list", items, position: open.position };
        needsComma = false;
      } else if (needsComma) {
        this.#unexpected('"," or "]"', this.#take());
      } else {
        items.push(this.#parseValue(depth));
        needsComma = type !== "[";
      }
    }
  }

  #unexpected(expected: string, found: Token): never {
    const code = found.type === "end" ? "UNEXPECTED_END" : "UNEXPECTED_TOKEN";
    throw new HclError(code, `expected ${expected}, found ${describeToken(found)}`, found.position);
  }
}
