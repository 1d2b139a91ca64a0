/** When a signature is late: by how long the last ones took in the same Region. */

/** No signature is late before, and none is waited for longer without asking elsewhere. */
const minLateMs = 300;
const maxLateMs = 1_000;
/** Later than all but one of so many, and half as long again. */
const oneIn = 100;
const margin = 1.5;
/** How many latencies are remembered, and after how many the limit is reckoned anew. */
const remembered = 256;
const reckonEvery = 32;

export class Latency {
  readonly #latencies: number[] = [];
  #measured = 0;
  #lateMs = minLateMs;

  /** How long a signature may take before another Region is asked as well. */
  get lateMs(): number {
    return this.#lateMs;
  }

  note(ms: number): void {
    this.#latencies[this.#measured++ % remembered] = ms;
    if (this.#measured % reckonEvery !== 0) return;
    const sorted = this.#latencies.toSorted((one, other) => other - one);
    const slow = (sorted[Math.floor(sorted.length / oneIn)] ?? 0) * margin;
    this.#lateMs = Math.min(maxLateMs, Math.max(minLateMs, slow));
  }
}
