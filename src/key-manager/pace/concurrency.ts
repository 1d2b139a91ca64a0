/** Who waits for whom: one after another by name, many with a bound, shared against exclusive. */

import { setMaxListeners } from "node:events";

/** A controller whose signal any number of jobs may wait on. */
export function abortController(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}

const settled = async (promise: Promise<unknown>): Promise<void> => {
  await promise.catch(() => undefined);
};

/**
 * Waits for `promise`, but no longer than until the signal aborts; the promise itself goes on.
 *
 * @throws the signal's reason
 */
export async function waitUntilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  promise.catch(() => undefined);
  signal.throwIfAborted();
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    if (onAbort !== undefined) signal.removeEventListener("abort", onAbort);
  }
}

/** Runs jobs of the same name one after another, in order of arrival; jobs of different names do not know each other. */
export class NamedQueue {
  readonly #tails = new Map<string, Promise<void>>();

  run<T>(name: string, job: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(name) ?? Promise.resolve();
    const result = before.then(job);
    const tail = settled(result).then(() => {
      if (this.#tails.get(name) === tail) this.#tails.delete(name);
    });
    this.#tails.set(name, tail);
    return result;
  }
}

/**
 * Many shared holders or one exclusive holder. While an exclusive holder waits no new one is let in, so that it gets its turn.
 */
export class Gate {
  readonly #holders = new Set<Promise<void>>();
  #closed: Promise<void> = Promise.resolve();

  /** @throws the signal's reason when it aborts while waiting to get in */
  async shared<T>(job: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    for (let closed = this.#closed; ; closed = this.#closed) {
      await waitUntilAborted(closed, signal);
      if (closed === this.#closed) break;
    }
    const running = job();
    const holder = settled(running);
    this.#holders.add(holder);
    void holder.then(() => this.#holders.delete(holder));
    return running;
  }

  async exclusive<T>(job: () => Promise<T>): Promise<T> {
    const before = this.#closed;
    const running = before.then(() => Promise.all(this.#holders)).then(job);
    this.#closed = settled(running);
    return running;
  }
}

/** `Promise.all` over a mapping with at most `limit` under way; the first failure stops the start of more. */
export async function mapBounded<T, R>(
  items: readonly T[],
  limit: number,
  map: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results = new Array<R>(items.length);
  const queue = items.entries();
  let failed = false;
  const work = async (): Promise<void> => {
    for (const [index, item] of queue) {
      if (failed) return;
      try {
        results[index] = await map(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, work));
  return results;
}
