/** What the parsers of both forms build, before literals are read. */
import { HclError, type HclPosition, maxNesting } from "./errors.ts";
import type { Token } from "./scan/token.ts";

/** What both parsers build: values are still tokens, for hcl1 reads a literal only after it has parsed everything. */
export type SyntaxNode =
  | { readonly kind: "literal"; readonly token: Token }
  | { readonly kind: "list"; readonly items: readonly SyntaxNode[]; readonly position: HclPosition }
  | SyntaxObject;

export interface SyntaxObject {
  readonly kind: "object";
  readonly items: readonly SyntaxItem[];
  readonly position: HclPosition;
}

export interface SyntaxItem {
  readonly keys: readonly Token[];
  readonly value: SyntaxNode;
  readonly isAssigned: boolean;
}

/** Refuses what would nest deeper than the limit. `depth` counts objects, lists and labels around and including this one. */
export function checkNesting(depth: number, position: HclPosition): void {
  if (depth > maxNesting) throw new HclError("TOO_DEEP", `nested deeper than ${maxNesting} levels`, position);
}
