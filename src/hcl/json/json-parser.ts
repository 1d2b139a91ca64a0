/** The grammar of the JSON form. */
import { HclError } from "../errors.ts";
import { describeToken, type Token } from "../scan/token.ts";
import { checkNesting, type SyntaxItem, type SyntaxNode, type SyntaxObject } from "../syntax.ts";
import { flattenJson } from "./json-flatten.ts";
import { JsonLexer } from "./json-lexer.ts";

/** A refusal that hcl1's JSON parser may still forgive, or the end of the text, which ends an object without complaint. */
type Stop = HclError | "end";

function isStop(value: object | string): value is Stop {
  return value === "end" || value instanceof HclError;
}

/**
 * The JSON form, as hcl1's JSON parser has it, which is far laxer than JSON: a closing brace may be missing, text after
 * the first object is ignored, an object forgives its last item when a `}` is what made it fail, lists skip booleans
 * and inner `[`.
 */
export class JsonParser {
  readonly #lexer: JsonLexer;
  #token: Token = { type: "end", text: "", position: { line: 1, column: 1 } };

  constructor(source: string) {
    this.#lexer = new JsonLexer(source);
  }

  parse(): SyntaxObject {
    const open = this.#take();
    if (open.type !== "{") throw this.#unexpected('"{"');
    const root = this.#parseObject(1);
    if (root instanceof HclError) throw root;
    return flattenJson(root);
  }

  #take(): Token {
    this.#token = this.#lexer.next();
    return this.#token;
  }

  #unexpected(expected: string): HclError {
    const code = this.#token.type === "end" ? "UNEXPECTED_END" : "UNEXPECTED_TOKEN";
    return new HclError(code, `expected ${expected}, found ${describeToken(this.#token)}`, this.#token.position);
  }

  /** The rest of an object whose `{` has been taken. */
  #parseObject(depth: number): SyntaxObject | HclError {
    const { position } = this.#token;
    checkNesting(depth, position);
    const items: SyntaxItem[] = [];
    do {
      const item = this.#parseItem(depth);
      if (item === "end") break;
      if (item instanceof HclError) {
        if (this.#token.type !== "}") return item;
        break;
      }
      items.push(item);
    } while (this.#take().type === ",");
    return { kind: "object", items, position };
  }

  /** One or more strings, a colon, a value. Several strings before the colon are a key and its labels. */
  #parseItem(depth: number): SyntaxItem | Stop {
    const keys: Token[] = [];
    for (;;) {
      const token = this.#take();
      if (token.type === "end") return "end";
      if (token.type === "string") {
        keys.push(token);
      } else if (token.type === ":" && keys.length > 0) {
        const value = this.#parseValue(depth + keys.length);
        return isStop(value) ? value : { keys, value, isAssigned: true };
      } else {
        return this.#unexpected(keys.length === 0 ? "a key in quotes" : '":" after the key');
      }
    }
  }

  #parseValue(depth: number): SyntaxNode | Stop {
    const token = this.#take();
    switch (token.type) {
      case "number":
      case "float":
      case "bool":
      case "null":
      case "string":
        return { kind: "literal", token };
      case "{":
        return this.#parseObject(depth);
      case "[":
        return this.#parseList(depth);
      case "end":
        return "end";
      default:
        return this.#unexpected("a value");
    }
  }

  /** The rest of a list whose `[` has been taken. Commas mean nothing here. */
  #parseList(depth: number): SyntaxNode | HclError {
    const { position } = this.#token;
    checkNesting(depth, position);
    const items: SyntaxNode[] = [];
    for (;;) {
      const token = this.#take();
      switch (token.type) {
        case "number":
        case "float":
        case "string":
          items.push({ kind: "literal", token });
          break;
        case "{": {
          const object = this.#parseObject(depth + 1);
          if (object instanceof HclError) return object;
          items.push(object);
          break;
        }
        case ",":
        case "bool":
        case "[":
          break;
        case "]":
          return { kind: "list", items, position };
        default:
          return this.#unexpected('a list element or "]"');
      }
    }
  }
}
