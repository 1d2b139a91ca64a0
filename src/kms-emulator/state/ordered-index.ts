/**
 * Names in code-unit order, kept in chunks: insert, delete and "next after" cost a binary search over the chunks and one
 * over a chunk. That makes a page of a listing independent of how many entries there are, and a page marker ("after this
 * name") good even when the name itself has been deleted since.
 */
const maxChunk = 256;

/** Position of the first element of `sorted` that is greater than (or, if `inclusive`, equal to) `name`. */
function search(sorted: readonly string[], name: string, inclusive: boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const element = sorted[middle] ?? "";
    if (element < name || (!inclusive && element === name)) low = middle + 1;
    else high = middle;
  }
  return low;
}

export class OrderedIndex {
  #chunks: string[][] = [];
  /** Largest name of each chunk, so that finding the chunk is one search. */
  #last: string[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(name: string): boolean {
    const chunk = this.#chunks[search(this.#last, name, true)];
    return chunk !== undefined && chunk[search(chunk, name, true)] === name;
  }

  add(name: string): void {
    const at = Math.min(search(this.#last, name, true), Math.max(this.#chunks.length - 1, 0));
    const chunk = this.#chunks[at];
    if (!chunk) {
      this.#chunks.push([name]);
      this.#last.push(name);
      this.#size = 1;
      return;
    }
    const position = search(chunk, name, true);
    if (chunk[position] === name) return;
    chunk.splice(position, 0, name);
    this.#size += 1;
    if (chunk.length > maxChunk) {
      const upper = chunk.splice(maxChunk / 2);
      this.#chunks.splice(at + 1, 0, upper);
      this.#last.splice(at + 1, 0, upper[upper.length - 1] ?? "");
    }
    this.#last[at] = chunk[chunk.length - 1] ?? "";
  }

  delete(name: string): void {
    const at = search(this.#last, name, true);
    const chunk = this.#chunks[at];
    if (!chunk) return;
    const position = search(chunk, name, true);
    if (chunk[position] !== name) return;
    chunk.splice(position, 1);
    this.#size -= 1;
    if (chunk.length === 0) {
      this.#chunks.splice(at, 1);
      this.#last.splice(at, 1);
    } else {
      this.#last[at] = chunk[chunk.length - 1] ?? "";
    }
  }

  /** Names greater than `name`, in order; all of them if `name` is undefined. */
  *after(name: string | undefined): Generator<string> {
    let at = name === undefined ? 0 : search(this.#last, name, false);
    let position = name === undefined ? 0 : search(this.#chunks[at] ?? [], name, false);
    for (; at < this.#chunks.length; at += 1, position = 0) {
      const chunk = this.#chunks[at] ?? [];
      for (; position < chunk.length; position += 1) yield chunk[position] ?? "";
    }
  }
}
