/**
 * The way of one key to ScheduleKeyDeletion: attempts with pauses between them, until the key is settled or a day has
 * passed. What an attempt is: `deletion-attempt.ts`.
 */
import type { DeletionOutcome, DeletionRequest } from "../deletions.ts";
import { DeletionAttempt, type Progress } from "./deletion-attempt.ts";
import { fieldsOf, type KeyDeletionContext } from "./deletion-context.ts";
import { KeyReminder } from "./key-reminder.ts";

const firstBackoffMs = 1_000;
const maxBackoffMs = 15 * 60_000;
/** What could not be done in a day is left to a scan, which looks at everything anew. */
const giveUpAfterMs = 24 * 3_600_000;
/** So long after an attempt failed its reminder is left: the deletion may outlive this process. */
const remindAfterMs = 500;
/** So long an attempt may still take when the process is about to end. */
const lastChanceMs = 250;

export class KeyDeletion {
  readonly request: DeletionRequest;
  readonly #context: KeyDeletionContext;
  readonly #settled = new AbortController();
  readonly #attempt: DeletionAttempt;
  readonly #reminder: KeyReminder;
  #isResting = false;

  constructor(request: DeletionRequest, context: KeyDeletionContext) {
    this.request = request;
    this.#context = context;
    this.#attempt = new DeletionAttempt(request, context);
    this.#reminder = new KeyReminder(request, context, this.#settled.signal);
  }

  /** @throws Error when it could not be done in a day */
  async run(): Promise<DeletionOutcome> {
    try {
      return await this.#work();
    } finally {
      this.#settled.abort();
    }
  }

  /**
   * Takes the key back, if it is between two attempts and certainly as it was made.
   *
   * @returns whether that is so; then nothing is done to the key any more
   */
  reclaim(): boolean {
    if (this.request.purpose === undefined || !this.#isResting) return false;
    if (this.#attempt.mayHaveTouched || this.#reminder.isLeft || this.#settled.signal.aborted) return false;
    this.#settled.abort();
    return true;
  }

  /** The process is about to end: the reminder is left soon, if there is to be one. */
  async remindSoon(): Promise<void> {
    try {
      if (!this.#isResting) await this.#sleep(lastChanceMs);
      await this.#reminder.leave();
    } catch {
      // Settled meanwhile, or the end has come.
    }
  }

  async #work(): Promise<DeletionOutcome> {
    const { clock, log, inTurn } = this.#context;
    const giveUpAt = clock.elapsedMs() + giveUpAfterMs;
    let progress: Progress = "waiting";
    for (let backoffMs = firstBackoffMs; ; backoffMs = Math.min(backoffMs * 2, maxBackoffMs)) {
      progress = await inTurn(() => this.#reminder.during(this.#attempt.goOn(progress)));
      if (typeof progress === "object") return progress.outcome;
      const delayMs = backoffMs * (0.5 + clock.random() / 2);
      if (clock.elapsedMs() + delayMs > giveUpAt) throw new Error("it could not be done in a day");
      log.debug("Key deletion will be tried again", { ...fieldsOf(this.request), delay_ms: Math.round(delayMs) });
      if (!(await this.#rest(delayMs))) return "reclaimed";
    }
  }

  /** @returns false when the key was reclaimed meanwhile */
  async #rest(delayMs: number): Promise<boolean> {
    this.#isResting = true;
    try {
      const shortMs = Math.min(delayMs, remindAfterMs);
      await this.#sleep(shortMs);
      await this.#reminder.leave();
      await this.#sleep(delayMs - shortMs);
    } catch (error) {
      if (!this.#settled.signal.aborted) throw error;
    } finally {
      this.#isResting = false;
    }
    return !this.#settled.signal.aborted;
  }

  async #sleep(ms: number): Promise<void> {
    const { clock, stop } = this.#context;
    await clock.sleep(ms, AbortSignal.any([stop, this.#settled.signal]));
  }
}
