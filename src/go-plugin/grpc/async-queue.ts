/** Hands each pushed value to one reader, in order. Values pushed before a reader comes are kept. */
export class AsyncQueue<T> implements AsyncIterable<T> {
  readonly #values: T[] = [];
  #closed = false;
  readonly #waiting = new Set<() => void>();

  push(value: T): void {
    if (this.#closed) return;
    this.#values.push(value);
    this.#wakeAll();
  }

  /** Takes the oldest value that no reader has had. */
  dropOldest(): T | undefined {
    return this.#values.shift();
  }

  /** The reader still gets what was pushed before. */
  close(): void {
    this.#closed = true;
    this.#wakeAll();
  }

  /**
   * Ends when the queue is closed and empty. An aborted signal ends it too, unless the queue is closed and the reader has
   * only the rest to take; values not read stay for the next reader.
   */
  async *read(signal?: AbortSignal): AsyncGenerator<T> {
    const wake = (): void => this.#wakeAll();
    signal?.addEventListener("abort", wake);
    try {
      while (this.#closed || signal?.aborted !== true) {
        const value = this.#values.shift();
        if (value !== undefined) yield value;
        else if (this.#closed) return;
        else await new Promise<void>((resolve) => this.#waiting.add(resolve));
      }
    } finally {
      signal?.removeEventListener("abort", wake);
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<T> {
    return this.read();
  }

  #wakeAll(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}
