/**
 * Whose turn it is: a bound on calls under way, a bounded queue before it, and a pace while AWS throttles.
 *
 * When KMS is slow, callers wait in turn and not without end. When it throttles, calls go out a little faster than they
 * last went through, so that the quota is used up without hammering at it. What cannot be served soon is refused at once
 * instead of piling up.
 */
import { type Clock, KmsError, type KmsErrorCode } from "../../key-manager/ports.ts";
import { LastSecond } from "./last-second.ts";
import { isStopped, offStop, onStop, type Stop } from "./stop.ts";

interface CallLimits {
  readonly maxUnderWay: number;
  readonly maxWaiting: number;
}

/** How much faster than calls go through they are tried: enough to notice when more would. */
const probing = 1.2;
/** Slowest pace, in calls a second. */
const minPace = 5;
/** The pace is set at most this often, and doubled when nothing was throttled for as long. */
const adjustMs = 100;
/** After this long without throttling there is no pace. */
const forgetMs = 1_000;
/** When AWS begins to throttle, no caller is let into the queue who would wait longer than about this for its turn. */
const maxWaitMs = 1_500;
/** After a burst's time, no longer than this: a queue that stays serves no caller earlier, only all of them later. */
const burstMs = 1_000;
const maxLastingWaitMs = 120;
/** How long it is remembered that callers give up earlier than that. */
const impatienceMs = 30_000;

export class CallLimiter {
  readonly #clock: Clock;
  readonly #limits: CallLimits;
  readonly #waiting: (() => void)[] = [];
  readonly #successes = new LastSecond();
  #underWay = 0;
  /** Calls a second; undefined: as they come. */
  #pace: number | undefined;
  /** When there came to be a pace. */
  #pacedAt = 0;
  #adjustedAt = 0;
  #throttledAt = 0;
  #nextAt = 0;
  #waitLimitMs = maxWaitMs;
  #givenUpAt = 0;
  #isWaking = false;

  constructor(clock: Clock, limits: CallLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /**
   * Waits for a turn. Each turn ends with {@link leave}. Undefined: it is this caller's turn at once.
   *
   * @param isRetry a call that has had a turn already goes before those that have not
   * @throws KmsError `Throttled` at once when the queue is full; `Aborted` when the caller ends while waiting
   */
  enter(operation: string, isRetry: boolean, stop: Stop | undefined): Promise<void> | undefined {
    if (isStopped(stop)) throw abortedError(operation, false);
    if (this.#waiting.length === 0 && this.#mayGo()) {
      this.#go();
      return undefined;
    }
    if (!isRetry && this.#waiting.length >= this.#maxWaiting()) throw this.#refusal(operation);
    const turn = this.#wait(operation, isRetry, stop);
    this.#next();
    return turn;
  }

  /** @param result how the call ended */
  leave(result: "ok" | KmsErrorCode): void {
    this.#underWay--;
    const now = this.#now();
    if (result === "ok") this.#hasSucceeded(now);
    else if (result === "THROTTLED") this.#wasThrottled(now);
    this.#next();
  }

  #hasSucceeded(now: number): void {
    this.#successes.count(now);
    if (this.#pace === undefined) return;
    if (now - this.#throttledAt >= forgetMs) this.#pace = undefined;
    else if (now - Math.max(this.#throttledAt, this.#adjustedAt) >= adjustMs) this.#setPace(this.#pace * 2, now);
  }

  #wasThrottled(now: number): void {
    this.#throttledAt = now;
    // Calls that went out together are refused together, and say it once.
    if (this.#pace !== undefined && now - this.#adjustedAt < adjustMs) return;
    this.#setPace(this.#successes.total(now) * probing, now);
  }

  #setPace(pace: number, now: number): void {
    if (this.#pace === undefined) {
      this.#nextAt = now;
      this.#pacedAt = now;
    }
    this.#pace = Math.max(minPace, pace);
    this.#adjustedAt = now;
  }

  #maxWaiting(): number {
    const { maxWaiting } = this.#limits;
    if (this.#pace === undefined) return maxWaiting;
    const now = this.#now();
    if (now - this.#givenUpAt >= impatienceMs) this.#waitLimitMs = maxWaitMs;
    const isBurst = now - this.#pacedAt < burstMs;
    const waitMs = isBurst ? this.#waitLimitMs : Math.min(maxLastingWaitMs, this.#waitLimitMs);
    return Math.min(maxWaiting, Math.ceil((this.#pace * waitMs) / 1000));
  }

  /**
   * A caller has left the queue. Whoever is served just before he would give up is served in vain, and so may be all:
   * from now on the queue is short enough to leave time for the call itself.
   */
  #hasGivenUp(waitedMs: number): void {
    this.#givenUpAt = this.#now();
    this.#waitLimitMs = Math.min(this.#waitLimitMs, Math.max(adjustMs, waitedMs / 2));
  }

  #refusal(operation: string): KmsError {
    const paced = this.#pace === undefined ? "" : `, and AWS lets about ${Math.round(this.#pace)} a second through`;
    return new KmsError(`${this.#underWay} calls are under way and ${this.#waiting.length} wait${paced}`, {
      code: "THROTTLED",
      operation,
      awsName: "TooManyCallsUnderWay",
      outcomeUnknown: false,
    });
  }

  #mayGo(): boolean {
    if (this.#underWay >= this.#limits.maxUnderWay) return false;
    return this.#pace === undefined || this.#now() >= this.#nextAt;
  }

  #go(): void {
    this.#underWay++;
    if (this.#pace === undefined) return;
    // Timers are coarse: turns that came late are made good, but no more than a few.
    this.#nextAt = Math.max(this.#nextAt, this.#now() - adjustMs / 2) + 1000 / this.#pace;
  }

  /** Gives turns to those whose time has come. */
  #next(): void {
    while (this.#waiting.length > 0 && this.#mayGo()) {
      this.#go();
      this.#waiting.shift()?.();
    }
    if (this.#waiting.length > 0 && this.#underWay < this.#limits.maxUnderWay) void this.#wake();
  }

  /** Comes back when the next turn is due. */
  async #wake(): Promise<void> {
    if (this.#isWaking) return;
    this.#isWaking = true;
    await this.#clock.sleep(Math.max(1, this.#nextAt - this.#now()));
    this.#isWaking = false;
    this.#next();
  }

  #wait(operation: string, isRetry: boolean, stop: Stop | undefined): Promise<void> {
    const since = this.#now();
    return new Promise<void>((resolve, reject) => {
      const enter = (): void => {
        if (stop !== undefined) offStop(stop, leave);
        resolve();
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        this.#hasGivenUp(this.#now() - since);
        reject(abortedError(operation, false));
      };
      if (isRetry) this.#waiting.unshift(enter);
      else this.#waiting.push(enter);
      if (stop !== undefined) onStop(stop, leave);
    });
  }

  #now(): number {
    return this.#clock.elapsedMs();
  }
}

/** @param outcomeUnknown whether something had been sent by then */
export function abortedError(operation: string, outcomeUnknown: boolean): KmsError {
  return new KmsError("the caller has given up", {
    code: "ABORTED",
    operation,
    awsName: "AbortError",
    outcomeUnknown,
  });
}
