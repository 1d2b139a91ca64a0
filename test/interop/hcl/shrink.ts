const maxAttempts = 2000;

/** A shorter text that still shows the fault: pieces are cut out, halves first, single characters last. */
export async function shrink(text: string, isFaulty: (candidate: string) => Promise<boolean>): Promise<string> {
  let best = text;
  let attempts = 0;
  for (let length = Math.ceil(best.length / 2); length >= 1; length = length === 1 ? 0 : Math.ceil(length / 2)) {
    for (let at = 0; at < best.length && attempts < maxAttempts; ) {
      const candidate = best.slice(0, at) + best.slice(at + length);
      attempts++;
      if (!/[\uD800-\uDFFF]/u.test(candidate) && (await isFaulty(candidate))) best = candidate;
      else at += length;
    }
  }
  return best;
}
