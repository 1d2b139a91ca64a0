/** Events of the last second, in slices. */
export class LastSecond {
  readonly #counts = new Array<number>(10).fill(0);
  #slice = 0;

  count(nowMs: number): void {
    this.#forget(nowMs);
    const at = this.#slice % this.#counts.length;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
  }

  total(nowMs: number): number {
    this.#forget(nowMs);
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  #forget(nowMs: number): void {
    const slice = Math.floor(nowMs / 100);
    for (let old = Math.max(this.#slice + 1, slice - 9); old <= slice; old++) this.#counts[old % 10] = 0;
    this.#slice = Math.max(slice, this.#slice);
  }
}
