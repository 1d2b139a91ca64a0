/** Real-time waits of injected delays. They end early when the emulator closes, so that closing is bounded. */
export class Waits {
  readonly #pending = new Set<() => void>();
  #isClosed = false;

  sleep(ms: number): Promise<void> {
    if (this.#isClosed || ms <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#pending.delete(end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#pending.add(end);
    });
  }

  close(): void {
    this.#isClosed = true;
    for (const end of [...this.#pending]) end();
  }
}
