import type { HclItem, HclKey, HclObject, HclValue } from "./ast.ts";
import { foldCase } from "./decode/fold-case.ts";
import { HclError } from "./errors.ts";

/** What the item's first key is set to: labels are objects around the value, `a "b" {…}` reads like `a { b {…} }`. */
function itemValue(item: HclItem): HclValue {
  const [first] = item.keys.slice(1);
  if (!first) return item.value;
  return { kind: "object", items: [{ ...item, keys: item.keys.slice(1) }], position: first.position };
}

/** All values of each key, in source order, keys in order of first appearance. Labels are nested objects. */
export function attributes(object: HclObject): Map<string, HclValue[]> {
  const found = new Map<string, HclValue[]>();
  for (const item of object.items) {
    const name = item.keys[0]?.name ?? "";
    const values = found.get(name);
    if (values) values.push(itemValue(item));
    else found.set(name, [itemValue(item)]);
  }
  return found;
}

function itemsNamed(object: HclObject, name: string): HclItem[] {
  const fold = foldCase(name);
  return object.items.filter((item) => foldCase(item.keys[0]?.name ?? "") === fold);
}

function wrongType(name: string, wanted: string, value: HclValue): never {
  const found = { string: "a string", number: "a number", bool: "true or false", list: "a list", object: "an object" };
  throw new HclError("wrong_type", `${name}: expected ${wanted}, found ${found[value.kind]}`, value.position);
}

/** Go's `string`: a quoted string, a heredoc, or an integer, whose source text it then is. */
function asString(value: HclValue, name: string): string {
  if (value.kind === "string") return value.value;
  if (value.kind === "number" && value.integer) return value.text;
  return wrongType(name, "a string", value);
}

/**
 * The key's value as `hcl.Decode` puts it into a Go `string` field: letter case of the key is ignored, the last of
 * repeated values wins, an integer gives its source text. Undefined when the key is absent.
 *
 * @throws HclError `wrong_type` where hcl1 refuses
 */
export function stringField(object: HclObject, name: string): string | undefined {
  let result: string | undefined;
  for (const item of itemsNamed(object, name)) result = asString(itemValue(item), name);
  return result;
}

/** The key's value as `hcl.Decode` puts it into a Go `bool` field: only `true` and `false`, not as strings. */
export function boolField(object: HclObject, name: string): boolean | undefined {
  let result: boolean | undefined;
  for (const item of itemsNamed(object, name)) {
    const value = itemValue(item);
    if (value.kind !== "bool") return wrongType(name, "true or false", value);
    result = value.value;
  }
  return result;
}

/** An entry of a {@link stringMapField}; `position` is that of its key. */
export type HclMapEntry = { readonly value: string; readonly position: HclKey["position"] };

/**
 * The key's value as `hcl.Decode` puts it into a Go `map[string]string` field: block and attribute form alike,
 * repeated ones merged, later entries winning; entries by {@link stringField}'s rule, but their names keep their case.
 *
 * @throws HclError `wrong_type` where hcl1 refuses
 */
export function stringMapField(object: HclObject, name: string): Map<string, HclMapEntry> | undefined {
  const items = itemsNamed(object, name);
  if (items.length === 0) return undefined;
  const result = new Map<string, HclMapEntry>();
  // hcl1 reads labelled items before the others, whatever their order.
  const labelled = items.filter((item) => item.keys.length > 1);
  for (const item of [...labelled, ...items.filter((item) => item.keys.length === 1)]) {
    const value = itemValue(item);
    if (value.kind !== "object") return wrongType(name, "an object", value);
    for (const entry of value.items) {
      const key = entry.keys[0];
      if (key) result.set(key.name, { value: asString(itemValue(entry), `${name}: an entry`), position: key.position });
    }
  }
  return result;
}

/** The keys (of items) that none of the given field names matches, letter case ignored, in source order. */
export function unknownKeys(object: HclObject, known: readonly string[]): HclKey[] {
  const folds = new Set(known.map(foldCase));
  return object.items.flatMap((item) => item.keys.slice(0, 1)).filter((key) => !folds.has(foldCase(key.name)));
}
