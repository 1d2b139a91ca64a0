/** A moment at which a key changes by itself: its deletion falls due, or it leaves Creating or Updating. */
interface DueEntry {
  readonly atMs: number;
  readonly account: string;
  readonly region: string;
  readonly keyId: string;
}

/**
 * A binary heap of due moments. Entries are never removed early: a cancelled one is recognised when it surfaces, because
 * the key record no longer carries its time.
 */
export class DueQueue {
  #heap: DueEntry[] = [];

  /** Earliest due time, or Infinity. */
  get nextMs(): number {
    return this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  push(entry: DueEntry): void {
    const heap = this.#heap;
    heap.push(entry);
    let child = heap.length - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      const above = heap[parent];
      if (!above || above.atMs <= entry.atMs) break;
      heap[child] = above;
      child = parent;
    }
    heap[child] = entry;
  }

  /** Removes and returns the earliest entry. */
  pop(): DueEntry | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const moved = heap.pop();
    if (!top || !moved || heap.length === 0) return top;
    let parent = 0;
    for (;;) {
      let child = parent * 2 + 1;
      const left = heap[child];
      if (!left) break;
      const right = heap[child + 1];
      const smaller = right && right.atMs < left.atMs ? right : left;
      if (smaller === right) child += 1;
      if (smaller.atMs >= moved.atMs) break;
      heap[parent] = smaller;
      parent = child;
    }
    heap[parent] = moved;
    return top;
  }
}
