/** The known name that a misspelt one most likely meant. */

/** Levenshtein distance with neighbours swapped counted as one, so that `regoin` is near `region`. */
function distance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, (beforePrevious[j - 2] ?? 0) + 1);
      }
      current.push(best);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}

/** @returns the nearest of `names`, or undefined when none is near enough to be a slip of the pen */
export function closestName(name: string, names: readonly string[]): string | undefined {
  if (name.length > 64) return undefined;
  const folded = name.toLowerCase().replaceAll("-", "_");
  const limit = Math.max(2, Math.floor(folded.length / 3));
  return names
    .map((known) => ({ known, away: distance(folded, known) }))
    .filter(({ away }) => away <= limit)
    .sort((a, b) => a.away - b.away)[0]?.known;
}
