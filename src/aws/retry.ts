/**
 * When an AWS call is tried again.
 *
 * In place of the SDK's own retries, for three reasons: CreateKey must never be repeated when it may have happened; the
 * SDK takes KMS's permanent LimitExceededException for throttling; and waiting must follow the injected clock.
 */
import type { Clock, KmsError } from "../key-manager/ports.ts";
import type { CallResult, Telemetry } from "../key-manager/telemetry.ts";
import { isClockSkewCorrected, kmsErrorFrom } from "./aws-error.ts";

/** As many as the SDK's standard mode makes. */
const maxAttempts = 3;
const baseDelayMs = 100;
const throttleBaseDelayMs = 500;
const credentialsBaseDelayMs = 1_000;
const maxDelayMs = 5_000;

/** What every client makes its calls with. */
export interface Caller {
  readonly clock: Clock;
  /** AWS has refused our credentials. Returns whether there may be others by now. */
  readonly discardCredentials: () => boolean;
  readonly telemetry: Telemetry;
}

export interface RetryOptions {
  readonly operation: string;
  readonly caller: Caller;
  readonly signal: AbortSignal | undefined;
  /** False for a call that must not be repeated unless it certainly did not happen. */
  readonly repeatable: boolean;
}

/** The SDK's per-call options for a signal that may not be there. */
export function abortBy(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}

function mayRetry(error: KmsError, repeatable: boolean): boolean {
  if (error.outcomeUnknown && !repeatable) return false;
  switch (error.code) {
    case "Throttled":
    case "Unavailable":
    case "Timeout":
      return true;
    default:
      return false;
  }
}

/** Credentials that AWS does not know, or no more, may have been rotated; those that could not be found may come. */
function mayHaveOtherCredentials({ code, awsName }: KmsError, { discardCredentials }: Caller): boolean {
  if (awsName === "CredentialsProviderError" || awsName === "TokenProviderError") return true;
  return code === "Unauthenticated" && discardCredentials();
}

/** Full jitter over an exponentially growing window. */
function delayMs(attempt: number, error: KmsError, clock: Clock): number {
  const base =
    error.code === "Throttled"
      ? throttleBaseDelayMs
      : error.code === "Unauthenticated"
        ? credentialsBaseDelayMs
        : baseDelayMs;
  return clock.random() * Math.min(base * 2 ** (attempt - 1), maxDelayMs);
}

/**
 * Makes a call, up to three times.
 *
 * @throws KmsError of the last attempt
 */
export async function withRetries<T>(call: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { operation, caller, signal, repeatable } = options;
  const { clock, telemetry } = caller;
  for (let attempt = 1; ; attempt++) {
    const startedAt = clock.now();
    const told = (result: CallResult) =>
      telemetry.awsCall(operation, result, startedAt, clock.now().getTime() - startedAt.getTime());
    try {
      const answer = await call();
      told("ok");
      return answer;
    } catch (thrown) {
      const error = kmsErrorFrom(operation, thrown);
      told(error.code);
      if (attempt >= maxAttempts || signal?.aborted) throw error;
      if (!mayRetry(error, repeatable) && !isClockSkewCorrected(thrown) && !mayHaveOtherCredentials(error, caller)) {
        throw error;
      }
      telemetry.awsRetry(operation, error.code);
      try {
        await clock.sleep(delayMs(attempt, error, clock), signal);
      } catch {
        throw error;
      }
    }
  }
}
