/** Hands pushed values to one reader, in order. Values pushed before the reader comes are kept. */
export class AsyncQueue<T> implements AsyncIterable<T> {
  readonly #values: T[] = [];
  #closed = false;
  #wake: (() => void) | undefined;

  push(value: T): void {
    if (this.#closed) return;
    this.#values.push(value);
    this.#wake?.();
  }

  /** Takes the oldest value that no reader has had. */
  dropOldest(): T | undefined {
    return this.#values.shift();
  }

  /** The reader still gets what was pushed before. */
  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  /** Ends when the queue is closed and empty, or when the signal is aborted; values not read stay for the next reader. */
  async *read(signal?: AbortSignal): AsyncGenerator<T> {
    const wake = (): void => this.#wake?.();
    signal?.addEventListener("abort", wake);
    try {
      while (signal?.aborted !== true) {
        const value = this.#values.shift();
        if (value !== undefined) yield value;
        else if (this.#closed) return;
        else await this.#nextChange(signal);
      }
    } finally {
      signal?.removeEventListener("abort", wake);
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<T> {
    return this.read();
  }

  #nextChange(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
      if (signal?.aborted === true) this.#wake();
    });
  }
}
