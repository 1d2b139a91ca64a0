/** A tree decoded as Go's `hcl.Decode` fills an `interface{}`, with Go's types. */
import type { HclItem, HclNumber, HclObject, HclValue } from "../ast.ts";
import { HclError, type HclPosition } from "../errors.ts";
import { foldCase } from "./fold-case.ts";
import { parseGoInteger } from "./go-integer.ts";

/**
 * What a Go program gets from `hcl.Decode` into an `interface{}`, with Go's types: `int` and `float64` are told apart,
 * and a list is `[]interface{}` ("any") or `[]map[string]interface{}` ("map").
 */
export type GoValue =
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "int"; readonly value: bigint }
  | { readonly type: "float"; readonly value: number }
  | { readonly type: "string"; readonly value: string }
  | GoList
  | GoMap;

export interface GoList {
  readonly type: "list";
  readonly elements: "any" | "map";
  readonly values: GoValue[];
}

export interface GoMap {
  readonly type: "map";
  readonly entries: ReadonlyMap<string, GoValue>;
}

/** An item whose first keys have been used up on the way in; hcl1 calls several of them together an object list. */
interface Rest {
  readonly keys: readonly string[];
  readonly value: HclValue;
  readonly position: HclPosition;
}

function wrongType(message: string, position: HclPosition): never {
  throw new HclError("WRONG_TYPE", message, position);
}

function toRest(item: HclItem): Rest {
  return {
    keys: item.keys.map((key) => key.name),
    value: item.value,
    position: item.keys[0]?.position ?? item.value.position,
  };
}

/**
 * Decodes as hcl1 does into an `interface{}`: an object becomes a list of maps (except directly inside a list, where it
 * is a map), repeated blocks and lists under one key are appended, and a repeated scalar is read as the first one's type.
 *
 * @throws HclError `WRONG_TYPE` or `INVALID_NUMBER` where hcl1's decoder returns an error
 */
export function toGoInterface(object: HclObject): GoMap {
  return decodeMap(object.items.map(toRest));
}

function decodeMap(items: readonly Rest[]): GoMap {
  const entries = new Map<string, GoValue>();
  const groups = groupByFold(items);
  const done = new Set<string>();
  for (const item of items) {
    const [key, ...labels] = item.keys;
    if (key === undefined) return wrongType("a block with labels and one without share a key", item.position);
    if (done.has(key)) continue;
    const old = entries.get(key);
    if (labels.length === 0) {
      entries.set(key, decodeValue(item.value, old));
    } else {
      done.add(key);
      entries.set(key, decodeGroup(groups.get(foldCase(key)) ?? [], old, item.position));
    }
  }
  return { type: "map", entries };
}

/** The items under each key, that key taken off, letter case ignored; only made when some item has labels. */
function groupByFold(items: readonly Rest[]): Map<string, Rest[]> {
  const groups = new Map<string, Rest[]>();
  if (items.every((item) => item.keys.length < 2)) return groups;
  for (const item of items) {
    const fold = foldCase(item.keys[0] ?? "");
    const group = groups.get(fold) ?? [];
    group.push({ ...item, keys: item.keys.slice(1) });
    groups.set(fold, group);
  }
  return groups;
}

/** Labelled blocks under one key, each a map from its first label. */
function decodeGroup(group: readonly Rest[], old: GoValue | undefined, position: HclPosition): GoList {
  if (old && (old.type !== "list" || old.elements !== "map")) {
    return wrongType("a block with labels follows a value under the same key", position);
  }
  const list: GoList = old ?? { type: "list", elements: "map", values: [] };
  for (const item of group) list.values.push(decodeMap([item]));
  return list;
}

/** `old` is what an earlier item of the same key left; its type decides how this one is read. */
function decodeValue(node: HclValue, old: GoValue | undefined): GoValue {
  switch (old?.type) {
    case undefined:
      return decodeFresh(node, false);
    case "bool":
      return node.kind === "bool" ? { type: "bool", value: node.value } : mismatch(node, "true or false");
    case "int":
      return decodeInteger(node);
    case "float":
      return node.kind === "number" ? decodeFloat(node) : mismatch(node, "a number");
    case "string":
      return decodeString(node);
    case "list":
      for (const element of decodeElements(node, old.elements)) old.values.push(element);
      return old;
    default:
      return mismatch(node, "an object");
  }
}

function mismatch(node: HclValue, wanted: string): never {
  return wrongType(`the key was set before, and this value is not read as ${wanted} like the first`, node.position);
}

function decodeFresh(node: HclValue, isInsideList: boolean): GoValue {
  switch (node.kind) {
    case "bool":
      return { type: "bool", value: node.value };
    case "string":
      return { type: "string", value: node.value };
    case "number":
      return node.isInteger ? decodeInteger(node) : decodeFloat(node);
    case "list":
      return { type: "list", elements: "any", values: decodeElements(node, "any") };
    case "object": {
      const map = toGoInterface(node);
      return isInsideList ? map : { type: "list", elements: "map", values: [map] };
    }
  }
}

function decodeElements(node: HclValue, elements: "any" | "map"): GoValue[] {
  if (node.kind === "object") return [toGoInterface(node)];
  if (node.kind !== "list") return mismatch(node, "a list");
  return node.items.map((item) => {
    if (elements === "any") return decodeFresh(item, true);
    return item.kind === "object" ? toGoInterface(item) : mismatch(item, "an object");
  });
}

function decodeString(node: HclValue): GoValue {
  if (node.kind === "string") return { type: "string", value: node.value };
  if (node.kind === "number" && node.isInteger) return { type: "string", value: node.text };
  return mismatch(node, "a string");
}

/** hcl1 reads an integer from a quoted string too, but not from a heredoc. */
function integerText(node: HclValue): string {
  if (node.kind === "number" && node.isInteger) return node.text;
  if (node.kind === "string" && node.form !== "heredoc") return node.value;
  return mismatch(node, "an integer");
}

function decodeInteger(node: HclValue): GoValue {
  const value = parseGoInteger(integerText(node));
  if (value === undefined) throw new HclError("INVALID_NUMBER", "expected a 64-bit integer", node.position);
  return { type: "int", value };
}

function decodeFloat(node: HclNumber): GoValue {
  // hcl1 reads an integer spelling here as a decimal float: no octal, hexadecimal only with an exponent it never has.
  const value = node.isInteger ? (/^-?[0-9]+$/.test(node.text) ? Number(node.text) : Number.NaN) : node.value;
  if (!Number.isFinite(value))
    throw new HclError("INVALID_NUMBER", "expected a 64-bit floating-point number", node.position);
  return { type: "float", value };
}
