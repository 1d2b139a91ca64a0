/**
 * Time that passes only when told to: the key manager's clocks and the embedded KMS's own, moved together from one due
 * timer to the next, so that months go by in milliseconds and in a known order.
 */
import { setMaxListeners } from "node:events";
import type { Clock } from "../../src/key-manager/ports.ts";

/** Something else that moves with virtual time: the embedded KMS, by its `EmulatorControl`. */
export interface MovedAlong {
  now(): Date;
  advance(ms: number): void;
}

const newYear = Date.UTC(2026, 0, 1);

interface Timer {
  readonly at: number;
  readonly order: number;
  /** Who is waiting; a killed process's timers never fire. */
  readonly owner: unknown;
  /** Undefined: it was cancelled, and holds on to nothing of who was waiting. */
  fire: (() => void) | undefined;
}

const isEarlier = (a: Timer, b: Timer): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

/** A seeded generator of numbers in [0, 1): mulberry32. */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Lets every promise that can settle without time passing do so: the event loop turns once the microtasks are done. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export interface SleeplessClockOptions {
  /** Default: the first moment of 2026, for ever. */
  readonly now?: () => Date;
  readonly random?: number;
  /** Takes down how long was slept. */
  readonly slept?: number[];
}

/** A clock on which no sleep takes time, for what waits for no other. */
export const sleeplessClock = ({
  now = () => new Date(newYear),
  random = 0,
  slept = [],
}: SleeplessClockOptions = {}): Clock => ({
  now,
  elapsedMs: () => now().getTime(),
  sleep: async (ms) => void slept.push(ms),
  random: () => random,
});

export class VirtualTime {
  readonly #along: MovedAlong | undefined;
  readonly #heap: Timer[] = [];
  readonly #byOwner = new Map<unknown, Set<Timer>>();
  #now: number;
  #order = 0;

  /** @param start where it begins, or what moves along with it */
  constructor(start: number | MovedAlong = newYear) {
    this.#along = typeof start === "number" ? undefined : start;
    this.#now = typeof start === "number" ? start : start.now().getTime();
  }

  /** Milliseconds since the Unix epoch. */
  get now(): number {
    return this.#now;
  }

  /** A clock for one process. @param skewMs how far it is ahead of this time */
  clockFor(owner: unknown, random: () => number, skewMs: number | (() => number) = 0): Clock {
    return {
      now: () => new Date(this.#now + (typeof skewMs === "number" ? skewMs : skewMs())),
      elapsedMs: () => this.#now,
      sleep: (ms, signal) => this.sleep(ms, signal, owner),
      random,
    };
  }

  sleep(ms: number, signal?: AbortSignal, owner?: unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = () => {
        this.#done(timer);
        reject(signal?.reason);
      };
      const fire = () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      };
      const timer = this.#push(ms, owner, fire);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Calls back after `ms`. */
  after(ms: number, fire: () => void): void {
    this.#push(ms, undefined, fire);
  }

  /** A signal that aborts after `ms`, and on which any number of jobs may wait. */
  signalAfter(ms: number, reason: Error): AbortSignal {
    const controller = new AbortController();
    setMaxListeners(0, controller.signal);
    this.after(ms, () => controller.abort(reason));
    return controller.signal;
  }

  /** The timers of a killed process. */
  forget(owner: unknown): void {
    for (const timer of this.#byOwner.get(owner) ?? []) timer.fire = undefined;
    this.#byOwner.delete(owner);
  }

  /** Lives through the next `ms` milliseconds. */
  async run(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settled();
    for (let next = this.#heap[0]; next !== undefined && next.at <= end; next = this.#heap[0]) {
      if (next.fire === undefined) {
        this.#pop();
        continue;
      }
      this.#moveTo(next.at);
      // What falls due together runs together, one microtask here, one there.
      for (let due = this.#heap[0]; due !== undefined && due.at <= this.#now; due = this.#heap[0]) {
        this.#pop();
        const { fire } = due;
        this.#done(due);
        fire?.();
      }
      await settled();
    }
    this.#moveTo(end);
  }

  /** Lives on to the next due timer, or to `end` if that comes first. */
  async runToNext(end: number): Promise<void> {
    while (this.#heap[0] !== undefined && this.#heap[0].fire === undefined) this.#pop();
    await this.run(Math.max(0, Math.min(this.#heap[0]?.at ?? end, end) - this.#now));
  }

  /** Lives on until the promise has settled. @throws when it has not within `limitMs` of virtual time */
  async until<T>(promise: Promise<T>, limitMs = 600_000): Promise<T> {
    let done = false;
    const watched = promise.finally(() => {
      done = true;
    });
    watched.catch(() => undefined);
    const end = this.#now + limitMs;
    await settled();
    while (!done) {
      const next = this.#heap[0];
      if (next === undefined || next.at > end) throw new Error(`not done after ${limitMs} ms of virtual time`);
      await this.run(Math.max(0, next.at - this.#now));
    }
    return watched;
  }

  #moveTo(at: number): void {
    if (at <= this.#now) return;
    this.#along?.advance(at - this.#now);
    this.#now = at;
  }

  /** It has fired or never will. */
  #done(timer: Timer): void {
    timer.fire = undefined;
    if (timer.owner !== undefined) this.#byOwner.get(timer.owner)?.delete(timer);
  }

  #push(ms: number, owner: unknown, fire: () => void): Timer {
    this.#order++;
    // Whole milliseconds, as the machine's own clock has them.
    const at = Math.ceil(this.#now + Math.max(0, ms));
    const timer: Timer = { at, order: this.#order, owner, fire };
    if (owner !== undefined) {
      const own = this.#byOwner.get(owner) ?? new Set();
      this.#byOwner.set(owner, own.add(timer));
    }
    const heap = this.#heap;
    heap.push(timer);
    for (let child = heap.length - 1; child > 0; ) {
      const parent = (child - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isEarlier(timer, above)) break;
      heap[child] = above;
      heap[parent] = timer;
      child = parent;
    }
    return timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const moved = heap.pop();
    if (moved === undefined || heap.length === 0) return;
    heap[0] = moved;
    for (let parent = 0; ; ) {
      let child = parent * 2 + 1;
      const left = heap[child];
      if (left === undefined) return;
      const right = heap[child + 1];
      let smaller = left;
      if (right !== undefined && isEarlier(right, left)) {
        smaller = right;
        child++;
      }
      if (!isEarlier(smaller, moved)) return;
      heap[parent] = smaller;
      heap[child] = moved;
      parent = child;
    }
  }
}
