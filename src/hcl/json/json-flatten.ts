/** What is a label and what a value in the JSON form, by hcl1's guess. */
import type { SyntaxItem, SyntaxNode, SyntaxObject } from "../syntax.ts";

/**
 * hcl1 cannot tell a JSON object that stands for labels from one that stands for a value, so it makes
 * `"a": {"b": {…}}` the block `a "b" {…}` wherever all members of an object are objects, and a list of objects a row of blocks.
 */
export function flattenJson(object: SyntaxObject): SyntaxObject {
  return { ...object, items: object.items.flatMap(flattenItem).map(flattenInside) };
}

/** The items one item stands for, in source order. */
function flattenItem(item: SyntaxItem): SyntaxItem[] {
  const { value } = item;
  if (
    value.kind === "object" &&
    value.items.length > 0 &&
    value.items.every((inner) => inner.value.kind === "object")
  ) {
    return value.items.flatMap((inner) =>
      flattenItem({ ...item, keys: [...item.keys, ...inner.keys], value: inner.value }),
    );
  }
  if (value.kind === "list" && value.items.length > 0 && value.items.every((inner) => inner.kind === "object")) {
    return value.items.flatMap((inner) => flattenItem({ ...item, value: inner }));
  }
  return [item];
}

function flattenInside(item: SyntaxItem): SyntaxItem {
  return { ...item, value: flattenNode(item.value) };
}

function flattenNode(node: SyntaxNode): SyntaxNode {
  if (node.kind === "object") return flattenJson(node);
  if (node.kind === "list") return { ...node, items: node.items.map(flattenNode) };
  return node;
}
