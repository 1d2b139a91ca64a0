/**
 * The end of one request before its answer: an `AbortSignal` for the hot path, where a real one would be a tenth of all work,
 * and hardly ever be used.
 */
export class Cut {
  #isCut = false;
  #listener: (() => void) | undefined;
  #controller: AbortController | undefined;

  get isCut(): boolean {
    return this.#isCut;
  }

  /** The one who is told; undefined: there is none any more. */
  set onCut(listener: (() => void) | undefined) {
    this.#listener = listener;
  }

  cut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    this.#listener?.();
    this.#controller?.abort();
  }

  /** The same for what takes only a signal. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#isCut) this.#controller.abort();
    }
    return this.#controller.signal;
  }
}
