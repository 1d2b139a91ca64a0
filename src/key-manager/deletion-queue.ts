/**
 * Keys on their way to ScheduleKeyDeletion.
 *
 * Each entry is tried until KMS takes it or it has become pointless. What a dying process leaves here is found again: by
 * the stale-key scan, because such keys have no alias, or by a reminder.
 */
import { messageOf } from "./errors.ts";
import { LogLimit } from "./log-limit.ts";
import { type Clock, isKmsError, type KmsClient, type LogFields, type Logger } from "./ports.ts";
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
  /** What has to be done first, at each attempt; when it fails, all of it is tried again later. */
  readonly before?: () => Promise<void>;
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
const maxBackoffMs = 60_000;
/** A deletion that is not settled by then may outlive this process. */
const remindAfterMs = 500;
/** Attempts at once; KMS allows 15 ScheduleKeyDeletion a second. */
const maxAttemptsUnderWay = 4;

export class DeletionQueue {
  readonly #options: DeletionQueueOptions;
  readonly #stop = new AbortController();
  readonly #pending = new Map<string, Promise<void>>();
  readonly #waiting: (() => void)[] = [];
  readonly #failures: LogLimit;
  #underWay = 0;

  constructor(options: DeletionQueueOptions) {
    this.#options = options;
    this.#failures = new LogLimit(options.clock);
  }

  /** Number of keys not yet scheduled. */
  get size(): number {
    return this.#pending.size;
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
      .catch((error: unknown) => {
        if (!this.#stop.signal.aborted)
          log.error("Key deletion gave up", { ...fieldsOf(key), reason: messageOf(error) });
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
    for (let backoffMs = firstBackoffMs; ; backoffMs = Math.min(backoffMs * 2, maxBackoffMs)) {
      if (await this.#attempt(key)) return;
      const delayMs = backoffMs * (0.5 + clock.random() / 2);
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

  /** @returns whether the matter is settled */
  async #attempt(key: DoomedKey): Promise<boolean> {
    const { log, isInUse } = this.#options;
    await this.#enter();
    try {
      if (isInUse(key.keyArn)) {
        log.error("Key is in use and was not scheduled for deletion", fieldsOf(key));
        return true;
      }
      await key.before?.();
      const deletionDate = await key.kms.scheduleKeyDeletion(key.keyArn, key.pendingWindowInDays, {
        signal: this.#stop.signal,
      });
      this.#options.telemetry?.count("keys_scheduled_for_deletion");
      log.info("Key scheduled for deletion", { ...fieldsOf(key), deletion_date: deletionDate?.toISOString() });
      return true;
    } catch (error) {
      if (isKmsError(error, "NotFound", "InvalidState", "InvalidRequest")) {
        // Gone, or pending already: somebody else was faster, or an earlier attempt whose answer was lost.
        log.info("Key needs no deletion any more", { ...fieldsOf(key), reason: error.message });
        return true;
      }
      this.#failures.run((more) =>
        log.warn("Failed to schedule key deletion; it will be tried again", {
          ...fieldsOf(key),
          reason: messageOf(error),
          waiting: this.#pending.size,
          ...more,
        }),
      );
      return false;
    } finally {
      this.#leave();
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
