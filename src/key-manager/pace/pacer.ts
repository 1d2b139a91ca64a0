/** Spreads calls over time, so that background work leaves the account's request quota to signing and to others. */
import type { Clock } from "../ports.ts";

export class Pacer {
  readonly #clock: Clock;
  readonly #gapMs: number;
  #nextAt = 0;

  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock;
    this.#gapMs = 1000 / perSecond;
  }

  /** Resolves when the next call may be made. */
  async turn(signal?: AbortSignal): Promise<void> {
    const now = this.#clock.elapsedMs();
    const at = Math.max(now, this.#nextAt);
    this.#nextAt = at + this.#gapMs;
    if (at > now) await this.#clock.sleep(at - now, signal);
  }
}
