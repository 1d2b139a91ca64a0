/**
 * Keys on their way to ScheduleKeyDeletion.
 *
 * Each entry is tried until KMS takes it, it has become pointless, or a day has passed. What a dying process leaves here
 * is found again: by the scans, or by a reminder.
 */
import { explain, messageOf } from "./errors.ts";
import { LogLimit } from "./log-limit.ts";
import {
  type Clock,
  isKmsError,
  type KmsClient,
  type KmsError,
  type KmsErrorCode,
  type LogFields,
  type Logger,
} from "./ports.ts";
import type { Telemetry } from "./telemetry.ts";

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

export interface DeletionQueueOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Last look before each attempt: a key in use is never scheduled, whoever asked for it. */
  readonly isInUse: (keyArn: string) => boolean;
  readonly telemetry?: Telemetry | undefined;
  /** More than this are refused, at error with the ARN. Default 10,000. */
  readonly capacity?: number;
}

const firstBackoffMs = 1_000;
const maxBackoffMs = 15 * 60_000;
/** What could not be done in a day is left to a scan, which looks at everything anew. */
const giveUpAfterMs = 24 * 3_600_000;
/** A deletion that is not settled by then may outlive this process. */
const remindAfterMs = 500;
/** Attempts at once; KMS allows 15 ScheduleKeyDeletion a second. */
const maxAttemptsUnderWay = 4;

/** How far a key has come. */
type Progress = "waiting" | "scheduled" | "settled";

/** Whether it is ScheduleKeyDeletion itself that failed like this, and not a step before it. */
const refused = (error: unknown, code: KmsErrorCode): error is KmsError =>
  isKmsError(error, code) && error.operation === "ScheduleKeyDeletion";

export class DeletionQueue {
  readonly #options: DeletionQueueOptions;
  readonly #stop = new AbortController();
  readonly #pending = new Map<string, Promise<void>>();
  readonly #waiting: (() => void)[] = [];
  readonly #failures: LogLimit;
  readonly #failed = new Set<string>();
  #underWay = 0;

  constructor(options: DeletionQueueOptions) {
    this.#options = options;
    this.#failures = new LogLimit(options.clock);
  }

  /** Number of keys not yet scheduled. */
  get size(): number {
    return this.#pending.size;
  }

  /** Whether the key is on its way already. */
  has(keyArn: string): boolean {
    return this.#pending.has(keyArn);
  }

  /** Whether a key was here before and could not be scheduled. */
  hasFailed(keyArn: string): boolean {
    return this.#failed.has(keyArn);
  }

  /** Takes a key; a key that is already here is not taken twice. Returns at once. */
  add(key: DoomedKey): void {
    const { log, capacity = 10_000 } = this.#options;
    if (this.#pending.has(key.keyArn)) return;
    if (this.#pending.size >= capacity) {
      log.error("Too many keys wait for deletion: this one is left to the next start or scan", fieldsOf(key));
      return;
    }
    const settled = new AbortController();
    void this.#remind(key, settled.signal);
    const done = this.#work(key)
      .then(() => {
        this.#failed.delete(key.keyArn);
      })
      .catch((error: unknown) => {
        if (this.#stop.signal.aborted) return;
        if (this.#failed.size < capacity) this.#failed.add(key.keyArn);
        log.error("Key deletion gave up: it is left to the next start or scan", {
          ...fieldsOf(key),
          reason: messageOf(error),
        });
      })
      .finally(() => {
        settled.abort();
        this.#pending.delete(key.keyArn);
      });
    this.#pending.set(key.keyArn, done);
  }

  /** Resolves when all that is here now is done, or `signal` aborts. */
  async flush(signal: AbortSignal): Promise<void> {
    const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    await Promise.race([Promise.all(this.#pending.values()), ...(signal.aborted ? [Promise.resolve()] : [aborted])]);
  }

  /** Stops waiting and retrying; names what is left in the log. */
  close(): void {
    for (const keyArn of this.#pending.keys()) {
      this.#options.log.warn("Key not yet scheduled for deletion: left to the next start or scan", { key_arn: keyArn });
    }
    this.#stop.abort();
  }

  async #work(key: DoomedKey): Promise<void> {
    const { clock, log } = this.#options;
    const signal = this.#stop.signal;
    const giveUpAt = clock.now().getTime() + giveUpAfterMs;
    let progress: Progress = "waiting";
    for (let backoffMs = firstBackoffMs; ; backoffMs = Math.min(backoffMs * 2, maxBackoffMs)) {
      progress = await this.#attempt(key, progress);
      if (progress === "settled") return;
      const delayMs = backoffMs * (0.5 + clock.random() / 2);
      if (clock.now().getTime() + delayMs > giveUpAt) throw new Error("it could not be done in a day");
      log.debug("Key deletion will be tried again", { ...fieldsOf(key), delay_ms: Math.round(delayMs) });
      await clock.sleep(delayMs, signal);
    }
  }

  /** Leaves the reminder, unless the deletion is settled before that is worth while. Never rejects. */
  async #remind(key: DoomedKey, settled: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    if (key.reminder === undefined) return;
    try {
      await clock.sleep(remindAfterMs, AbortSignal.any([settled, this.#stop.signal]));
    } catch {
      return;
    }
    try {
      await key.kms.createAlias(key.reminder, key.keyArn);
      log.info("Key is still to be scheduled for deletion: left a reminder", {
        ...fieldsOf(key),
        reminder: key.reminder,
      });
    } catch (error) {
      // There already, or no alias can stand on the key any more because it is on its way out.
      if (isKmsError(error, "AlreadyExists", "NotFound", "InvalidState")) return;
      log.warn("Failed to leave a reminder on a key that is to be scheduled for deletion", {
        ...fieldsOf(key),
        reason: messageOf(error),
      });
    }
  }

  /** One try at what is left to do. @returns how far that got */
  async #attempt(key: DoomedKey, progress: Progress): Promise<Progress> {
    await this.#enter();
    try {
      if (this.#stop.signal.aborted) return progress;
      const reached = progress === "scheduled" ? progress : await this.#schedule(key);
      return reached === "scheduled" ? await this.#finish(key) : reached;
    } finally {
      this.#leave();
    }
  }

  async #schedule(key: DoomedKey): Promise<Progress> {
    const { log, isInUse, telemetry } = this.#options;
    const signal = this.#stop.signal;
    try {
      if (key.before !== undefined && !isInUse(key.keyArn) && !(await key.before(signal))) {
        log.info("Key is to stay after all: not scheduled for deletion", fieldsOf(key));
        return "settled";
      }
      if (isInUse(key.keyArn)) {
        log.error("Key is in use and was not scheduled for deletion", fieldsOf(key));
        return "settled";
      }
      const deletionDate = await key.kms.scheduleKeyDeletion(key.keyArn, key.pendingWindowInDays, { signal });
      telemetry?.count("keys_scheduled_for_deletion");
      log.info("Key scheduled for deletion", { ...fieldsOf(key), deletion_date: deletionDate?.toISOString() });
      return "scheduled";
    } catch (error) {
      return this.#judge(key, error);
    }
  }

  async #judge(key: DoomedKey, error: unknown): Promise<Progress> {
    const { log } = this.#options;
    if (refused(error, "InvalidState") && /pending/i.test(error.message)) {
      // Somebody else was faster, or it was an earlier attempt whose answer was lost.
      log.info("Key is scheduled for deletion already", { ...fieldsOf(key), ...(await this.#deletionDate(key)) });
      return "scheduled";
    }
    if (refused(error, "NotFound")) {
      log.info("Key is gone already", fieldsOf(key));
      return "settled";
    }
    if (refused(error, "InvalidRequest")) {
      log.error("KMS will not schedule the key for deletion", { ...fieldsOf(key), reason: explain(error) });
      return "settled";
    }
    if (this.#stop.signal.aborted) return "waiting";
    const fields = { ...fieldsOf(key), reason: explain(error), waiting: this.#pending.size };
    this.#failures.run((more) =>
      log.warn("Failed to schedule key deletion; it will be tried again", { ...fields, ...more }),
    );
    return "waiting";
  }

  async #finish(key: DoomedKey): Promise<Progress> {
    try {
      await key.after?.(this.#stop.signal);
      return "settled";
    } catch (error) {
      // Not worth a warning: the deletion itself is under way. Giving up will be told.
      this.#options.log.debug("Key is scheduled for deletion, but not all that goes with it is done", {
        ...fieldsOf(key),
        reason: messageOf(error),
      });
      return "scheduled";
    }
  }

  async #deletionDate({ kms, keyArn }: DoomedKey): Promise<LogFields> {
    try {
      const { deletionDate } = await kms.describeKey(keyArn, { signal: this.#stop.signal });
      return { deletion_date: deletionDate?.toISOString() };
    } catch {
      return {};
    }
  }

  async #enter(): Promise<void> {
    if (this.#underWay < maxAttemptsUnderWay) {
      this.#underWay++;
      return;
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#underWay--;
    else next();
  }
}

const fieldsOf = (key: DoomedKey) => ({
  ...key.details,
  key_arn: key.keyArn,
  alias_name: key.aliasName,
  rule: key.reason,
});
