/** Letter case as Go ignores it, for keys. */

function oneCharacter(folded: string, original: string): string {
  const isOne = folded.length === 1 || (folded.length === 2 && (folded.codePointAt(0) ?? 0) > 0xffff);
  return isOne ? folded : original;
}

function foldCharacter(char: string): string {
  // Dotless ı has I for its upper case but folds to nothing else.
  if (char === "\u0131") return char;
  const upper = oneCharacter(char.toUpperCase(), char);
  return oneCharacter(upper.toLowerCase(), upper);
}

/**
 * Two texts have the same fold exactly when Go's `strings.EqualFold` calls them equal (Unicode simple case folding).
 * hcl1 compares keys so: `Region = "x"` sets a field named `region`.
 */
export function foldCase(text: string): string {
  return /^[\0-\x7f]*$/.test(text) ? text.toLowerCase() : Array.from(text, foldCharacter).join("");
}
