/**
 * The way of one key to ScheduleKeyDeletion: looked at, scheduled, followed up, and tried again until that is settled or
 * a day has passed.
 *
 * The look comes first at each attempt, for by then what was true of the key may have changed. Without it nothing is
 * scheduled: where KMS denies or throttles it, the deletion waits.
 */
import type { DeletionOutcome, DeletionRequest } from "../deletions.ts";
import { explain, messageOf } from "../errors.ts";
import type { LogLimit } from "../pace/log-limit.ts";
import { type Clock, isKmsError, type KeyMetadata, type KmsError, type KmsErrorCode, type Logger } from "../ports.ts";
import type { Telemetry } from "../telemetry.ts";
import { deleteStaleAlias, keepAliasOff } from "./alias-guard.ts";
import { lookAtKey } from "./look-at-key.ts";

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
/** So long after an attempt failed its reminder is left: the deletion may outlive this process. */
const remindAfterMs = 500;
/** So long an attempt may still take when the process is about to end. */
const lastChanceMs = 250;
/** An attempt that takes longer than this may be the last one. */
const longAttemptMs = 5_000;

/** How far a key has come: `scheduled` = what follows the deletion is still to be done. */
type Progress = "waiting" | "scheduled" | { readonly outcome: DeletionOutcome };

const settled = (outcome: DeletionOutcome): Progress => ({ outcome });

/** Whether it is ScheduleKeyDeletion itself that failed like this, and not a step before it. */
const refused = (error: unknown, code: KmsErrorCode): error is KmsError =>
  isKmsError(error, code) && error.operation === "ScheduleKeyDeletion";

const isUnknown = (error: unknown): boolean => !isKmsError(error) || error.outcomeUnknown;

export const fieldsOf = ({ details, keyArn, aliasName, rule }: DeletionRequest) => ({
  ...details,
  key_arn: keyArn,
  alias_name: aliasName,
  rule,
});

export class KeyDeletion {
  readonly request: DeletionRequest;
  readonly #context: KeyDeletionContext;
  readonly #settled = new AbortController();
  #isResting = false;
  #isReminded = false;
  /** Whether the key may be scheduled for deletion, or have its reminder, by now. */
  #isTouched = false;

  constructor(request: DeletionRequest, context: KeyDeletionContext) {
    this.request = request;
    this.#context = context;
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
    if (this.request.purpose === undefined || !this.#isResting || this.#isTouched) return false;
    if (this.#settled.signal.aborted) return false;
    this.#settled.abort();
    return true;
  }

  /** The process is about to end: the reminder is left soon, if there is to be one. */
  async remindSoon(): Promise<void> {
    try {
      if (!this.#isResting) await this.#sleep(lastChanceMs);
      await this.#remind();
    } catch {
      // Settled meanwhile, or the end has come.
    }
  }

  async #work(): Promise<DeletionOutcome> {
    const { clock, log, inTurn } = this.#context;
    const giveUpAt = clock.elapsedMs() + giveUpAfterMs;
    let progress: Progress = "waiting";
    for (let backoffMs = firstBackoffMs; ; backoffMs = Math.min(backoffMs * 2, maxBackoffMs)) {
      progress = await inTurn(() => this.#remindIfLong(this.#attempt(progress)));
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
      await this.#remind();
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

  async #remindIfLong(attempt: Promise<Progress>): Promise<Progress> {
    if (this.request.reminder === undefined) return attempt;
    const { clock, stop } = this.#context;
    const done = new AbortController();
    clock.sleep(longAttemptMs, AbortSignal.any([done.signal, stop])).then(
      () => this.#remind(),
      () => undefined,
    );
    try {
      return await attempt;
    } finally {
      done.abort();
    }
  }

  /** Leaves the reminder, once. Never rejects. */
  async #remind(): Promise<void> {
    const { log } = this.#context;
    const { reminder, kms, keyArn } = this.request;
    if (reminder === undefined || this.#isReminded || this.#settled.signal.aborted) return;
    this.#isReminded = true;
    this.#isTouched = true;
    try {
      await kms.createAlias(reminder, keyArn);
      log.info("Key is still to be scheduled for deletion: left a reminder", { ...fieldsOf(this.request), reminder });
    } catch (error) {
      // There already, or no alias can stand on the key any more because its deletion is scheduled.
      if (isKmsError(error, "ALREADY_EXISTS", "NOT_FOUND", "INVALID_STATE")) return;
      log.warn("Failed to leave a reminder on a key that is to be scheduled for deletion", {
        ...fieldsOf(this.request),
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
    const { log, telemetry, stop } = this.#context;
    const { kms, keyArn, pendingWindowInDays, markInactive } = this.request;
    try {
      const known = this.#inUse() ?? (await this.#look());
      if (known !== undefined) return known;
      await markInactive?.(keyArn);
      const inUse = this.#inUse();
      if (inUse !== undefined) return inUse;
      const deletionDate = await kms.scheduleKeyDeletion(keyArn, pendingWindowInDays, { signal: stop });
      telemetry?.count("keys_scheduled_for_deletion");
      log.info("Key scheduled for deletion", {
        ...fieldsOf(this.request),
        deletion_date: deletionDate?.toISOString(),
      });
      return "scheduled";
    } catch (error) {
      if (isUnknown(error)) this.#isTouched = true;
      return this.#judge(error);
    }
  }

  #inUse(): Progress | undefined {
    const { isInUse, log } = this.#context;
    if (!isInUse(this.request.keyArn)) return undefined;
    log.error("Key is in use and was not scheduled for deletion", fieldsOf(this.request));
    return settled("in use");
  }

  /** @returns undefined when the key may go. @throws KmsError when KMS does not say */
  async #look(): Promise<Progress | undefined> {
    const { log, stop } = this.#context;
    const seen = await lookAtKey(this.request, { log, signal: stop });
    switch (seen.kind) {
      case "may go":
        return undefined;
      case "not found":
        return this.#notFound();
      case "scheduled already":
        return this.#scheduledAlready(seen);
      default: {
        const { kind, reason } = seen;
        const level = kind === "spared" && this.request.isOwn ? "warn" : "info";
        log[level]("Key is to stay after all: not scheduled for deletion", { ...fieldsOf(this.request), reason });
        return settled(kind);
      }
    }
  }

  #notFound(): Progress {
    this.#context.log.info("Key no longer exists", fieldsOf(this.request));
    return settled("not found");
  }

  #scheduledAlready({ deletionDate }: Pick<KeyMetadata, "deletionDate">): Progress {
    // Another process was faster, or it was an earlier attempt whose answer was lost.
    this.#context.log.info("Key is scheduled for deletion already", {
      ...fieldsOf(this.request),
      deletion_date: deletionDate?.toISOString(),
    });
    return "scheduled";
  }

  async #judge(error: unknown): Promise<Progress> {
    const { log, stop, failures, waiting } = this.#context;
    if (refused(error, "INVALID_STATE") && /pending/i.test(error.message)) {
      return this.#scheduledAlready({ deletionDate: await this.#deletionDate() });
    }
    if (refused(error, "NOT_FOUND")) return this.#notFound();
    if (refused(error, "INVALID_REQUEST")) {
      log.error("KMS will not schedule the key for deletion", { ...fieldsOf(this.request), reason: explain(error) });
      return settled("refused");
    }
    if (stop.aborted) return "waiting";
    const fields = { ...fieldsOf(this.request), reason: explain(error), waiting: waiting() };
    failures.run((more) => log.warn("Failed to schedule key deletion; it will be tried again", { ...fields, ...more }));
    return "waiting";
  }

  /** What follows the deletion: KMS puts no alias on the key any more, so this look is the last that is needed. */
  async #finish(): Promise<Progress> {
    const { log, stop } = this.#context;
    const { kms, keyArn, slot, staleAlias } = this.request;
    try {
      if (slot !== undefined) await keepAliasOff(keyArn, slot, { kms, log, signal: stop });
      if (staleAlias !== undefined) await deleteStaleAlias(staleAlias, keyArn, { kms, log, signal: stop });
      return settled("scheduled");
    } catch (error) {
      // Not worth a warning: the deletion itself is under way. Giving up will be told.
      log.debug("Key is scheduled for deletion, but not all that goes with it is done", {
        ...fieldsOf(this.request),
        reason: messageOf(error),
      });
      return "scheduled";
    }
  }

  async #deletionDate(): Promise<Date | undefined> {
    const { kms, keyArn } = this.request;
    try {
      return (await kms.describeKey(keyArn, { signal: this.#context.stop })).deletionDate;
    } catch {
      return undefined;
    }
  }
}
