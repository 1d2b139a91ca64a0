/** A tree read by key: every spelling of the same thing gives the same values. */
import type { HclItem, HclObject, HclValue } from "./ast.ts";

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
