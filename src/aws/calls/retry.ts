/**
 * When an AWS call is tried again.
 *
 * In place of the SDK's own retries, for three reasons: CreateKey must never be repeated when it may have happened; the
 * SDK takes KMS's permanent LimitExceededException for throttling; and waiting must follow the injected clock.
 */
import { type Cancellation, type Clock, KmsError } from "../../key-manager/ports.ts";
import type { CallResult, Telemetry } from "../../key-manager/telemetry.ts";
import { isClockSkewCorrected, kmsErrorFrom } from "./aws-error.ts";
import { abortedError, type CallLimiter } from "./call-limiter.ts";
import { Cut } from "./cut.ts";
import { isStopped, offStop, onStop, type Stop, signalOf } from "./stop.ts";

/** As many as the SDK's standard mode makes. */
const maxAttempts = 3;
/** About ten seconds' worth. */
const maxAttemptsForFile = 7;
const baseDelayMs = 100;
const throttleBaseDelayMs = 500;
const credentialsBaseDelayMs = 1_000;
const maxDelayMs = 5_000;

/** What every client makes its calls with. */
export interface Caller {
  readonly clock: Clock;
  /** AWS has refused the credentials of a call begun at that time. Returns whether there may be others by now. */
  readonly discardCredentials: (usedSinceMs: number) => boolean;
  readonly telemetry: Telemetry;
}

interface RetryOptions {
  readonly operation: string;
  readonly caller: Caller;
  /** Of the two that tell of the caller's end, at most one is there. */
  readonly signal?: AbortSignal | undefined;
  readonly cancellation?: Cancellation | undefined;
  /** False for a call that must not be repeated unless it certainly did not happen. */
  readonly repeatable: boolean;
  /** How long a call that KMS throttles is tried again, however often. Default: only as often as any other. */
  readonly throttledForMs?: number | undefined;
  /** How long it waits between two of these tries, give or take half. Default: as long as any other. */
  readonly throttledWaitMs?: number | undefined;
  /** Whom to ask for a turn before each attempt. */
  readonly limiter?: CallLimiter | undefined;
}

/** The SDK's per-call options for a signal that may not be there. */
export function abortBy(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}

function mayRetry(error: KmsError, repeatable: boolean): boolean {
  if (error.outcomeUnknown && !repeatable) return false;
  switch (error.code) {
    case "THROTTLED":
    case "UNAVAILABLE":
    case "TIMEOUT":
      return true;
    default:
      return false;
  }
}

/** Those that could not be found, or were not to be had, may come: a web identity file, the metadata service at boot. */
const areCredentialsMissing = ({ code, operation, awsName }: KmsError): boolean =>
  code === "UNAUTHENTICATED" && (operation === "credentials" || awsName === "CredentialsProviderError");

/** Credentials that AWS does not know, or no more, may have been rotated. */
const mayHaveOtherCredentials = (error: KmsError, { discardCredentials }: Caller, usedSinceMs: number): boolean =>
  areCredentialsMissing(error) || (error.code === "UNAUTHENTICATED" && discardCredentials(usedSinceMs));

/** A file that is not there yet is mounted by another program, which may take its time. */
const attemptsFor = (error: KmsError): number => (error.awsName === "ENOENT" ? maxAttemptsForFile : maxAttempts);

/**
 * Waits for a call as long as its caller does, and not longer: the SDK's search for credentials takes no heed of signals. What
 * the call has under way is cut.
 */
function untilStopped<T>(operation: string, call: (cut: Cut) => Promise<T>, stop: Stop | undefined): Promise<T> {
  const cut = new Cut();
  if (stop === undefined) return call(cut);
  if (isStopped(stop)) return Promise.reject(abortedError(operation, false));
  return new Promise((resolve, reject) => {
    const stopped = (): void => {
      reject(abortedError(operation, true));
      cut.cut();
    };
    onStop(stop, stopped);
    call(cut).then(
      (answer) => {
        offStop(stop, stopped);
        resolve(answer);
      },
      (error: unknown) => {
        offStop(stop, stopped);
        reject(error);
      },
    );
  });
}

const withUnknownOutcome = (error: KmsError): KmsError =>
  new KmsError(error.message, { ...error, outcomeUnknown: true });

/** A fleet that rotates at one time shares a few calls a second: each gets its turn if it waits for it. */
const isInPatience = (error: KmsError, sinceMs: number, { throttledForMs, caller }: RetryOptions): boolean =>
  error.code === "THROTTLED" && throttledForMs !== undefined && caller.clock.elapsedMs() - sinceMs < throttledForMs;

/** In a large fleet: what leaves each server a turn, and the last try at the end of its patience. */
function fleetDelayMs(begunMs: number, { caller: { clock }, throttledForMs = 0, throttledWaitMs }: RetryOptions) {
  if (throttledWaitMs === undefined) return 0;
  const leftMs = throttledForMs - (clock.elapsedMs() - begunMs);
  return Math.min(throttledWaitMs * (0.5 + clock.random()), Math.max(0, leftMs));
}

/** Full jitter over an exponentially growing window. */
function delayMs(attempt: number, error: KmsError, clock: Clock): number {
  const base =
    error.code === "THROTTLED"
      ? throttleBaseDelayMs
      : error.code === "UNAUTHENTICATED"
        ? credentialsBaseDelayMs
        : baseDelayMs;
  return clock.random() * Math.min(base * 2 ** (attempt - 1), maxDelayMs);
}

/**
 * Makes a call, up to three times; while the file that holds the credentials is not there, or KMS throttles a call that
 * has the time, some times more.
 *
 * @param call ends when its caller does, if it takes the cut that it is given
 * @throws KmsError of the last attempt
 */
export async function withRetries<T>(call: (cut: Cut) => Promise<T>, options: RetryOptions): Promise<T> {
  const { operation, caller, repeatable, limiter } = options;
  const stop = options.signal ?? options.cancellation;
  const { clock, telemetry } = caller;
  /** An attempt whose outcome is unknown leaves it unknown, however clearly the next one is refused. */
  let outcomeUnknown = false;
  const begunMs = clock.elapsedMs();
  for (let attempt = 1; ; attempt++) {
    const turn = limiter?.enter(operation, attempt > 1, stop);
    if (turn !== undefined) await turn;
    const startedAt = clock.now();
    const startedMs = clock.elapsedMs();
    const told = (result: CallResult) => {
      limiter?.leave(result);
      telemetry.awsCall(operation, result, startedAt, clock.elapsedMs() - startedMs);
    };
    try {
      const answer = await untilStopped(operation, call, stop);
      told("ok");
      return answer;
    } catch (thrown) {
      const latest = kmsErrorFrom(operation, thrown);
      told(latest.code);
      const error: KmsError = outcomeUnknown && !latest.outcomeUnknown ? withUnknownOutcome(latest) : latest;
      outcomeUnknown = error.outcomeUnknown;
      if (attempt >= attemptsFor(error) && !isInPatience(error, begunMs, options)) throw error;
      if (isStopped(stop)) throw error;
      const isWorthwhile =
        mayRetry(error, repeatable) ||
        isClockSkewCorrected(thrown) ||
        mayHaveOtherCredentials(error, caller, startedMs);
      if (!isWorthwhile) throw error;
      telemetry.awsRetry(operation, error.code);
      // Who waits for a turn need not wait for its own sake.
      if (limiter !== undefined && error.code === "THROTTLED") continue;
      try {
        const fleetMs = error.code === "THROTTLED" ? fleetDelayMs(begunMs, options) : 0;
        await clock.sleep(Math.max(fleetMs, delayMs(attempt, error, clock)), signalOf(stop));
      } catch {
        throw error;
      }
    }
  }
}
