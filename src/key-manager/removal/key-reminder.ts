/**
 * The reminder on a key whose deletion takes long: an alias that says so to the next process, should this one end. Left
 * once, and only on keys whose request names one.
 */
import type { DeletionRequest } from "../deletions.ts";
import { messageOf } from "../errors.ts";
import { isKmsError } from "../ports.ts";
import { fieldsOf, type KeyDeletionContext } from "./deletion-context.ts";

/** An attempt that takes longer than this may be the last one. */
const longAttemptMs = 5_000;

export class KeyReminder {
  readonly #request: DeletionRequest;
  readonly #context: KeyDeletionContext;
  readonly #settled: AbortSignal;
  #isLeft = false;

  /** @param settled aborts when nothing is to be done to the key any more */
  constructor(request: DeletionRequest, context: KeyDeletionContext, settled: AbortSignal) {
    this.#request = request;
    this.#context = context;
    this.#settled = settled;
  }

  /** Whether it may stand on the key by now. */
  get isLeft(): boolean {
    return this.#isLeft;
  }

  /** Leaves it, once. Never rejects. */
  async leave(): Promise<void> {
    const { log } = this.#context;
    const { reminder, kms, keyArn } = this.#request;
    if (reminder === undefined || this.#isLeft || this.#settled.aborted) return;
    this.#isLeft = true;
    try {
      await kms.createAlias(reminder, keyArn);
      log.info("Key is still to be scheduled for deletion: left a reminder", { ...fieldsOf(this.#request), reminder });
    } catch (error) {
      // There already, or no alias can stand on the key any more because its deletion is scheduled.
      if (isKmsError(error, "ALREADY_EXISTS", "NOT_FOUND", "INVALID_STATE")) return;
      log.warn("Failed to leave a reminder on a key that is to be scheduled for deletion", {
        ...fieldsOf(this.#request),
        reason: messageOf(error),
      });
    }
  }

  /** Waits for an attempt, and leaves the reminder when that takes long. */
  async during<T>(attempt: Promise<T>): Promise<T> {
    if (this.#request.reminder === undefined) return attempt;
    const { clock, stop } = this.#context;
    const done = new AbortController();
    clock.sleep(longAttemptMs, AbortSignal.any([done.signal, stop])).then(
      () => this.leave(),
      () => undefined,
    );
    try {
      return await attempt;
    } finally {
      done.abort();
    }
  }
}
