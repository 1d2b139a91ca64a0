/** Keeps an outage from becoming a flood: a kind of line is written at most once in a while. */
import type { Clock } from "../ports.ts";

const defaultEveryMs = 60_000;

/** A limit for each kind of line. */
export class LogLimits {
  readonly #clock: Clock;
  readonly #limits = new Map<string, LogLimit>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param kind the message, or whatever tells its kind; from a small set */
  run(kind: string, write: (suppressed: { readonly suppressed?: number }) => void): void {
    const limit = this.#limits.get(kind) ?? new LogLimit(this.#clock);
    this.#limits.set(kind, limit);
    limit.run(write);
  }
}

export class LogLimit {
  readonly #clock: Clock;
  readonly #everyMs: number;
  #nextAt = Number.NEGATIVE_INFINITY;
  #suppressed = 0;

  constructor(clock: Clock, everyMs = defaultEveryMs) {
    this.#clock = clock;
    this.#everyMs = everyMs;
  }

  /** Writes the line, with the number of lines left out since the last one; or leaves it out. */
  run(write: (suppressed: { readonly suppressed?: number }) => void): void {
    const now = this.#clock.elapsedMs();
    if (now < this.#nextAt) {
      this.#suppressed++;
      return;
    }
    this.#nextAt = now + this.#everyMs;
    write(this.#suppressed === 0 ? {} : { suppressed: this.#suppressed });
    this.#suppressed = 0;
  }
}
