/** The tree that a text becomes, with the place of everything in it. */
import type { HclPosition } from "./errors.ts";

export type { HclPosition };

/** `form` tells how it was written: `"quoted"`, a heredoc, or JSON's `null`, which hcl1 reads as an empty string. */
export interface HclString {
  readonly kind: "string";
  readonly value: string;
  readonly form: "quoted" | "heredoc" | "null";
  readonly position: HclPosition;
}

/**
 * A number, with its source text so that nothing is lost.
 *
 * `isInteger` is hcl1's own distinction (no point, no exponent). `value` is rounded to a JavaScript number, and is
 * NaN for the one spelling hcl1's grammar takes but cannot turn into a number: an octal such as `08`.
 */
export interface HclNumber {
  readonly kind: "number";
  readonly text: string;
  readonly value: number;
  readonly isInteger: boolean;
  readonly position: HclPosition;
}

export interface HclBool {
  readonly kind: "bool";
  readonly value: boolean;
  readonly position: HclPosition;
}

export interface HclList {
  readonly kind: "list";
  readonly items: readonly HclValue[];
  readonly position: HclPosition;
}

/** The items of a pair of braces, or of the whole text, in source order; repeated keys stay separate items. */
export interface HclObject {
  readonly kind: "object";
  readonly items: readonly HclItem[];
  readonly position: HclPosition;
}

export type HclValue = HclString | HclNumber | HclBool | HclList | HclObject;

export interface HclKey {
  readonly name: string;
  readonly isQuoted: boolean;
  readonly position: HclPosition;
}

/**
 * `key = value`, `key { … }` or `key "label" … { … }`.
 *
 * `keys` has at least one element; the further ones are labels. `isAssigned` is true for the form with `=` (or JSON's `:`).
 */
export interface HclItem {
  readonly keys: readonly HclKey[];
  readonly value: HclValue;
  readonly isAssigned: boolean;
}
