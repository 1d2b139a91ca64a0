/**
 * The way of one key to ScheduleKeyDeletion: looked at, scheduled, followed up, and tried again until that is settled or
 * a day has passed.
 */
import { explain, messageOf } from "../errors.ts";
import type { LogLimit } from "../pace/log-limit.ts";
import {
  type Clock,
  isKmsError,
  type KmsClient,
  type KmsError,
  type KmsErrorCode,
  type LogFields,
  type Logger,
} from "../ports.ts";
import type { Telemetry } from "../telemetry.ts";

export interface DoomedKey {
  /** The client of the account and Region that the key lives in, whatever is configured later. */
  readonly kms: KmsClient;
  readonly keyArn: string;
  readonly aliasName: string | undefined;
  readonly pendingWindowInDays: number;
  /** Which rule doomed the key, for the log: `rotated`, `abandoned`, … */
  readonly reason: string;
  /** More for the log line. */
  readonly details?: LogFields;
  /** Whether it was this server's: until it is on its way out it counts among the keys that this server lives with. */
  readonly isOwn?: boolean;
  /**
   * What the key could still be used for: only for a key that has never stood behind an alias and that nobody knows of.
   * Equal for keys that could stand for one another.
   */
  readonly purpose?: string | undefined;
  /** Alias to put on the key when its deletion takes long, so that the next process finds it; goes when the key goes. */
  readonly reminder?: string | undefined;
  /**
   * What has to be looked at and done first, at each attempt: by then the facts that doomed the key may have changed.
   * When it fails, all of it is tried again later.
   *
   * @returns false when the key is to stay
   */
  readonly before?: ((signal: AbortSignal) => Promise<boolean>) | undefined;
  /** What has to be done once the key is on its way out; tried again like everything else. */
  readonly after?: ((signal: AbortSignal) => Promise<void>) | undefined;
}

export interface KeyDeletionOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Last look before each attempt: a key in use is never scheduled, whoever asked for it. */
  readonly isInUse: (keyArn: string) => boolean;
  readonly telemetry?: Telemetry | undefined;
}

/** What all deletions of a queue share. */
export interface KeyDeletionContext extends KeyDeletionOptions {
  /** Ends all waiting and trying. */
  readonly stop: AbortSignal;
  /** Runs an attempt when it is its turn. */
  readonly inTurn: <T>(attempt: () => Promise<T>) => Promise<T>;
  readonly failures: LogLimit;
  /** How many keys wait, this one among them. */
  readonly waiting: () => number;
}

const firstBackoffMs = 1_000;
const maxBackoffMs = 15 * 60_000;
/** What could not be done in a day is left to a scan, which looks at everything anew. */
const giveUpAfterMs = 24 * 3_600_000;
/** A deletion that is not settled by then may outlive this process. */
const remindAfterMs = 500;

/** How far a key has come. */
type Progress = "waiting" | "scheduled" | "settled";

/** Whether it is ScheduleKeyDeletion itself that failed like this, and not a step before it. */
const refused = (error: unknown, code: KmsErrorCode): error is KmsError =>
  isKmsError(error, code) && error.operation === "ScheduleKeyDeletion";

const isUnknown = (error: unknown): boolean => !isKmsError(error) || error.outcomeUnknown;

export const fieldsOf = (key: DoomedKey) => ({
  ...key.details,
  key_arn: key.keyArn,
  alias_name: key.aliasName,
  rule: key.reason,
});

export class KeyDeletion {
  readonly key: DoomedKey;
  readonly #context: KeyDeletionContext;
  readonly #settled = new AbortController();
  #isResting = false;
  /** Whether the key may be on its way out, or have its reminder, by now. */
  #isTouched = false;

  constructor(key: DoomedKey, context: KeyDeletionContext) {
    this.key = key;
    this.#context = context;
  }

  /** @throws Error when it could not be done in a day */
  async run(): Promise<void> {
    void this.#remind();
    try {
      await this.#work();
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
    if (this.key.purpose === undefined || !this.#isResting || this.#isTouched) return false;
    if (this.#settled.signal.aborted) return false;
    this.#settled.abort();
    return true;
  }

  async #work(): Promise<void> {
    const { clock, log, inTurn } = this.#context;
    const giveUpAt = clock.now().getTime() + giveUpAfterMs;
    let progress: Progress = "waiting";
    for (let backoffMs = firstBackoffMs; ; backoffMs = Math.min(backoffMs * 2, maxBackoffMs)) {
      progress = await inTurn(() => this.#attempt(progress));
      if (progress === "settled") return;
      const delayMs = backoffMs * (0.5 + clock.random() / 2);
      if (clock.now().getTime() + delayMs > giveUpAt) throw new Error("it could not be done in a day");
      log.debug("Key deletion will be tried again", { ...fieldsOf(this.key), delay_ms: Math.round(delayMs) });
      if (!(await this.#rest(delayMs))) return;
    }
  }

  /** @returns false when the key was reclaimed meanwhile */
  async #rest(delayMs: number): Promise<boolean> {
    const { clock, stop } = this.#context;
    this.#isResting = true;
    try {
      await clock.sleep(delayMs, AbortSignal.any([stop, this.#settled.signal]));
    } catch (error) {
      if (!this.#settled.signal.aborted) throw error;
    } finally {
      this.#isResting = false;
    }
    return !this.#settled.signal.aborted;
  }

  /** Leaves the reminder, unless the deletion is settled before that is worth while. Never rejects. */
  async #remind(): Promise<void> {
    const { clock, log, stop } = this.#context;
    const { key } = this;
    if (key.reminder === undefined) return;
    try {
      await clock.sleep(remindAfterMs, AbortSignal.any([this.#settled.signal, stop]));
    } catch {
      return;
    }
    this.#isTouched = true;
    try {
      await key.kms.createAlias(key.reminder, key.keyArn);
      log.info("Key is still to be scheduled for deletion: left a reminder", {
        ...fieldsOf(key),
        reminder: key.reminder,
      });
    } catch (error) {
      // There already, or no alias can stand on the key any more because it is on its way out.
      if (isKmsError(error, "ALREADY_EXISTS", "NOT_FOUND", "INVALID_STATE")) return;
      log.warn("Failed to leave a reminder on a key that is to be scheduled for deletion", {
        ...fieldsOf(key),
        reason: messageOf(error),
      });
    }
  }

  /** One try at what is left to do. @returns how far that got */
  async #attempt(progress: Progress): Promise<Progress> {
    if (this.#context.stop.aborted) return progress;
    const reached = progress === "scheduled" ? progress : await this.#schedule();
    return reached === "scheduled" ? await this.#finish() : reached;
  }

  async #schedule(): Promise<Progress> {
    const { log, isInUse, telemetry, stop } = this.#context;
    const { key } = this;
    try {
      if (key.before !== undefined && !isInUse(key.keyArn) && !(await key.before(stop))) {
        log.info("Key is to stay after all: not scheduled for deletion", fieldsOf(key));
        return "settled";
      }
      if (isInUse(key.keyArn)) {
        log.error("Key is in use and was not scheduled for deletion", fieldsOf(key));
        return "settled";
      }
      const deletionDate = await key.kms.scheduleKeyDeletion(key.keyArn, key.pendingWindowInDays, { signal: stop });
      telemetry?.count("keys_scheduled_for_deletion");
      log.info("Key scheduled for deletion", { ...fieldsOf(key), deletion_date: deletionDate?.toISOString() });
      return "scheduled";
    } catch (error) {
      if (isUnknown(error)) this.#isTouched = true;
      return this.#judge(error);
    }
  }

  async #judge(error: unknown): Promise<Progress> {
    const { log, stop, failures, waiting } = this.#context;
    const { key } = this;
    if (refused(error, "INVALID_STATE") && /pending/i.test(error.message)) {
      // Somebody else was faster, or it was an earlier attempt whose answer was lost.
      log.info("Key is scheduled for deletion already", { ...fieldsOf(key), ...(await this.#deletionDate()) });
      return "scheduled";
    }
    if (refused(error, "NOT_FOUND")) {
      log.info("Key is gone already", fieldsOf(key));
      return "settled";
    }
    if (refused(error, "INVALID_REQUEST")) {
      log.error("KMS will not schedule the key for deletion", { ...fieldsOf(key), reason: explain(error) });
      return "settled";
    }
    if (stop.aborted) return "waiting";
    const fields = { ...fieldsOf(key), reason: explain(error), waiting: waiting() };
    failures.run((more) => log.warn("Failed to schedule key deletion; it will be tried again", { ...fields, ...more }));
    return "waiting";
  }

  async #finish(): Promise<Progress> {
    const { log, stop } = this.#context;
    try {
      await this.key.after?.(stop);
      return "settled";
    } catch (error) {
      // Not worth a warning: the deletion itself is under way. Giving up will be told.
      log.debug("Key is scheduled for deletion, but not all that goes with it is done", {
        ...fieldsOf(this.key),
        reason: messageOf(error),
      });
      return "scheduled";
    }
  }

  async #deletionDate(): Promise<LogFields> {
    const { kms, keyArn } = this.key;
    try {
      const { deletionDate } = await kms.describeKey(keyArn, { signal: this.#context.stop });
      return { deletion_date: deletionDate?.toISOString() };
    } catch {
      return {};
    }
  }
}
