/**
 * A bound on calls under way, with a bounded queue before it: when KMS is slow, callers wait in turn and not without end,
 * and what cannot be served soon is refused at once instead of piling up.
 */
import { KmsError } from "../key-manager/ports.ts";

export class CallLimiter {
  readonly #maxUnderWay: number;
  readonly #maxWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;

  constructor(maxUnderWay: number, maxWaiting: number) {
    this.#maxUnderWay = maxUnderWay;
    this.#maxWaiting = maxWaiting;
  }

  /** @throws KmsError `Throttled` at once when the queue is full; the signal's reason when it aborts while waiting */
  async run<T>(operation: string, call: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    if (this.#underWay < this.#maxUnderWay) this.#underWay++;
    else await this.#wait(operation, signal);
    try {
      return await call();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#underWay--;
      else next();
    }
  }

  async #wait(operation: string, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (this.#waiting.length >= this.#maxWaiting) {
      throw new KmsError(`${this.#maxUnderWay} calls are under way and ${this.#maxWaiting} wait`, {
        code: "Throttled",
        operation,
        awsName: "TooManyCallsUnderWay",
        outcomeUnknown: false,
      });
    }
    await new Promise<void>((resolve, reject) => {
      const enter = (): void => {
        signal?.removeEventListener("abort", leave);
        resolve();
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(signal?.reason);
      };
      this.#waiting.push(enter);
      signal?.addEventListener("abort", leave, { once: true });
    });
  }
}
