/** The domain's errors as gRPC statuses: their codes have the same names and the same meaning. */
import { KeyManagerError } from "../key-manager/errors.ts";
import type { Cancellation } from "../key-manager/ports.ts";
import { StatusError } from "../plugin-sdk/index.ts";

/** The status of a call that was cut short: the caller's own reason, or the end of the time it had. */
function abortStatus(error: unknown, stop: AbortSignal | Cancellation | undefined): StatusError | undefined {
  const signal = stop === undefined || stop instanceof AbortSignal ? stop : stop.signal;
  if (signal?.aborted !== true) return undefined;
  const isCutShort = error === signal.reason || (error instanceof KeyManagerError && error.code === "CANCELLED");
  if (!isCutShort) return undefined;
  return signal.reason instanceof StatusError
    ? signal.reason
    : new StatusError("DEADLINE_EXCEEDED", "the call ran out of time");
}

/**
 * Runs a call of the domain; what it throws reaches the host as a gRPC status.
 *
 * @param stop the one that the call was given
 */
export async function withStatus<T>(call: () => Promise<T> | T, stop?: AbortSignal | Cancellation): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const aborted = abortStatus(error, stop);
    if (aborted !== undefined) throw aborted;
    if (error instanceof KeyManagerError) throw new StatusError(error.code, error.message);
    throw error;
  }
}
