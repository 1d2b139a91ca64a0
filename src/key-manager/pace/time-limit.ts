/** A limit in time for a call that must not hold up what does not need it. */
import { type Clock, isKmsError, KmsError } from "../ports.ts";

export interface TimeLimit {
  readonly clock: Clock;
  readonly limitMs: number;
  readonly operation: string;
  /** The caller's own. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Makes a call of AWS and aborts it when it takes too long.
 *
 * @throws KmsError `TIMEOUT` then; what the call throws
 */
export async function withTimeLimit<T>(
  { clock, limitMs, operation, signal }: TimeLimit,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const done = new AbortController();
  clock.sleep(limitMs, done.signal).then(
    () => late.abort(),
    () => undefined,
  );
  try {
    return await call(signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]));
  } catch (error) {
    if (!late.signal.aborted || !isKmsError(error, "ABORTED")) throw error;
    throw new KmsError(`no answer within ${limitMs / 1000} s`, {
      code: "TIMEOUT",
      operation,
      awsName: "TimeoutError",
      outcomeUnknown: true,
    });
  } finally {
    done.abort();
  }
}
