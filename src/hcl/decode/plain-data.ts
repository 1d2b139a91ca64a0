/** A text or a tree as plain data of JavaScript. */
import type { HclObject } from "../ast.ts";
import { parseHcl } from "../parse-hcl.ts";
import { type GoValue, toGoInterface } from "./go-interface.ts";

/** Plain data: objects have no prototype, so any key is safe; an integer past 2^53 is a bigint. */
export type PlainValue = string | number | bigint | boolean | PlainValue[] | { [key: string]: PlainValue };

export interface PlainObject {
  [key: string]: PlainValue;
}

/**
 * Text to plain data, shaped as `hcl.Decode` into `map[string]interface{}` shapes it: an object is a list of objects
 * (`key_tags { a = "1" }` gives `{ key_tags: [{ a: "1" }] }`), repeated blocks are further elements.
 *
 * @throws HclError when the text is refused, or one key is given values of different types
 */
export function decodeHcl(text: string): PlainObject {
  return toPlainObject(parseHcl(text));
}

/** As {@link decodeHcl}, for text already parsed. */
export function toPlainObject(object: HclObject): PlainObject {
  return plainMap(toGoInterface(object).entries);
}

function plainMap(entries: ReadonlyMap<string, GoValue>): PlainObject {
  const result: PlainObject = Object.create(null);
  for (const [key, value] of entries) result[key] = plain(value);
  return result;
}

function plain(value: GoValue): PlainValue {
  switch (value.type) {
    case "list":
      return value.values.map(plain);
    case "map":
      return plainMap(value.entries);
    case "int": {
      const number = Number(value.value);
      return Number.isSafeInteger(number) ? number : value.value;
    }
    default:
      return value.value;
  }
}
