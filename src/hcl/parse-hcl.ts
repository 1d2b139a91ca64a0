/** Text to tree, in either form of the language. */
import type { HclItem, HclObject, HclValue } from "./ast.ts";
import { JsonParser } from "./json/json-parser.ts";
import { type LiteralForm, readKey, readLiteral } from "./literal.ts";
import { Parser } from "./parser.ts";
import type { SyntaxItem, SyntaxNode, SyntaxObject } from "./syntax.ts";

/** Go's `unicode.IsSpace`: U+0085 is one, U+FEFF (the byte order mark) is none, unlike in JavaScript. */
const jsonStart = /^[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*\{/;

/**
 * Parses HCL 1 text, in its native or its JSON form, exactly as `github.com/hashicorp/hcl` v1 does.
 *
 * The text is JSON if its first character that is not white space is `{`. The whole text is one object without braces;
 * labels stay in {@link HclItem.keys}, repeated keys stay repeated. See `attributes` for reading both alike.
 *
 * @throws HclError, and nothing else, for any text that is refused
 */
export function parseHcl(text: string): HclObject {
  return jsonStart.test(text)
    ? toObject(new JsonParser(text).parse(), "json")
    : toObject(new Parser(text).parse(), "hcl");
}

function toObject(object: SyntaxObject, form: LiteralForm): HclObject {
  return { kind: "object", items: object.items.map((item) => toItem(item, form)), position: object.position };
}

function toItem(item: SyntaxItem, form: LiteralForm): HclItem {
  const keys = item.keys.map((key) => readKey(key, form));
  return { keys, value: toValue(item.value, form), isAssigned: item.isAssigned };
}

function toValue(node: SyntaxNode, form: LiteralForm): HclValue {
  if (node.kind === "object") return toObject(node, form);
  if (node.kind === "list") {
    return { kind: "list", items: node.items.map((item) => toValue(item, form)), position: node.position };
  }
  return readLiteral(node.token, form);
}
