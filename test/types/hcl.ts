/** Types of `./hcl`. Compiled, never run. */
import {
  attributes,
  decodeHcl,
  HclError,
  type HclErrorCode,
  type HclObject,
  type PlainObject,
  parseHcl,
} from "../../src/hcl/index.ts";
import type { Equal, Expect } from "./equal.ts";

export const tree: HclObject = parseHcl('a = "b"');
export const plain: PlainObject = decodeHcl('a = "b"');
export const entries = attributes(tree);

// @ts-expect-error text, not bytes: the caller knows the encoding
export const bytes = parseHcl(new Uint8Array());

export function placeOf(error: unknown): string {
  if (!(error instanceof HclError)) return "";
  type Place = [Expect<Equal<typeof error.line, number>>, Expect<Equal<typeof error.code, HclErrorCode>>];
  const types: Place = [true, true];
  // @ts-expect-error the place of an error cannot be moved
  error.line = types.length;
  return `${error.line}:${error.column}`;
}
