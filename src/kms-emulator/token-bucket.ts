/** Lets `perSecond` takes a second through, and as many at once after a quiet second. */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #capacity: number;
  #tokens: number;
  #filledAtMs: number | undefined;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#capacity = perSecond > 0 ? Math.max(perSecond, 1) : 0;
    this.#tokens = this.#capacity;
  }

  /** True if there were `amount` tokens left, which are then taken. */
  take(nowMs: number, amount = 1): boolean {
    const elapsedMs = Math.max(nowMs - (this.#filledAtMs ?? nowMs), 0);
    this.#filledAtMs = nowMs;
    this.#tokens = Math.min(this.#capacity, this.#tokens + (elapsedMs / 1000) * this.#perSecond);
    if (this.#tokens < amount) return false;
    this.#tokens -= amount;
    return true;
  }
}
