import { HclError, type HclPosition, MAX_NESTING } from "./errors.ts";
import type { Token } from "./scan/token.ts";

/** What both parsers build: values are still tokens, for hcl1 reads a literal only after it has parsed everything. */
export type SyntaxNode =
  | { readonly kind: "literal"; readonly token: Token }
  | { readonly kind: "list"; readonly items: readonly SyntaxNode[]; readonly position: HclPosition }
  | SyntaxObject;

export type SyntaxObject = {
  readonly kind: "object";
  readonly items: readonly SyntaxItem[];
  readonly position: HclPosition;
};

export type SyntaxItem = { readonly keys: readonly Token[]; readonly value: SyntaxNode; readonly assigned: boolean };

/** Refuses what would nest deeper than the limit. `depth` counts objects, lists and labels around and including this one. */
export function checkNesting(depth: number, position: HclPosition): void {
  if (depth > MAX_NESTING) throw new HclError("too_deep", `nested deeper than ${MAX_NESTING} levels`, position);
}
