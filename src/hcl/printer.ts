/** Plain data to text. */
import { HclError, maxNesting } from "./errors.ts";

/** What can be printed. An undefined member of an object is left out. */
export type PrintableValue =
  | string
  | number
  | bigint
  | boolean
  | readonly PrintableValue[]
  | { readonly [key: string]: PrintableValue | undefined };

export interface PrintableObject {
  readonly [key: string]: PrintableValue | undefined;
}

const indentStep = "  ";
const bareKey = /^[A-Za-z_][A-Za-z0-9_.-]*$/;
/** What a quoted string cannot hold as it is; `${` would start an interpolation, U+E123 is hcl1's printer's own. */
const specialCharacters = /["\\\p{Cc}\ue123]|\$(?=\{)/gu;
const namedEscapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};
const minInt64 = -(2n ** 63n);
const maxInt64 = 2n ** 63n - 1n;

/**
 * Prints plain data as HCL 1 text, one `key = value` a line, nested objects as `key = { … }`.
 *
 * `decodeHcl` of the result gives the data back, objects under a key wrapped in a list as hcl1 does it.
 *
 * @throws HclError `UNPRINTABLE` for what HCL 1 cannot say: null, NaN, infinities, integers past 64 bits, half a
 *   surrogate pair, functions, nesting past the parser's limit
 */
export function printHcl(value: PrintableObject): string {
  return printItems(value, "", 1);
}

function unprintable(what: string): never {
  throw new HclError("UNPRINTABLE", `${what} cannot be written in HCL`);
}

function printItems(object: PrintableObject, indent: string, depth: number): string {
  let text = "";
  for (const [key, value] of Object.entries(object)) {
    if (value !== undefined) text += `${indent}${printKey(key)} = ${printValue(value, indent, depth)}\n`;
  }
  return text;
}

function printKey(key: string): string {
  const isBare = bareKey.test(key) && key !== "true" && key !== "false";
  return isBare ? key : quote(key);
}

function printValue(value: unknown, indent: string, depth: number): string {
  switch (typeof value) {
    case "string":
      return quote(value);
    case "boolean":
      return String(value);
    case "bigint":
      if (value < minInt64 || value > maxInt64) return unprintable("an integer past 64 bits");
      return String(value);
    case "number":
      return printNumber(value);
    case "object":
      if (depth >= maxNesting) return unprintable(`nesting deeper than ${maxNesting} levels`);
      if (Array.isArray(value)) return printList(value, indent, depth + 1);
      if (isPlainObject(value)) return printObject(value, indent, depth + 1);
      return unprintable(value === null ? "null" : "an object with a class");
    default:
      return unprintable(`a value of type ${typeof value}`);
  }
}

function isPlainObject(value: object | null): value is PrintableObject {
  if (value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function printObject(object: PrintableObject, indent: string, depth: number): string {
  const items = printItems(object, indent + indentStep, depth);
  return items === "" ? "{}" : `{\n${items}${indent}}`;
}

function printList(list: readonly unknown[], indent: string, depth: number): string {
  if (list.length === 0) return "[]";
  const lines = list.map((item) => `${indent}${indentStep}${printValue(item, indent + indentStep, depth)},\n`);
  return `[\n${lines.join("")}${indent}]`;
}

/** An integer that JavaScript no longer holds exactly is written as a float, so that it is read back as the same number. */
function printNumber(value: number): string {
  if (!Number.isFinite(value)) return unprintable(String(value));
  const text = Object.is(value, -0) ? "-0.0" : String(value);
  return Number.isSafeInteger(value) || /[.e]/.test(text) ? text : `${text}.0`;
}

function quote(text: string): string {
  if (/[\uD800-\uDFFF]/u.test(text)) return unprintable("half a surrogate pair");
  const escaped = text.replace(specialCharacters, (char) => {
    return namedEscapes[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
  return `"${escaped}"`;
}
