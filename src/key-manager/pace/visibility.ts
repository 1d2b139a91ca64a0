/** KMS is eventually consistent: a key made a moment ago may not be found yet. */
import { type Clock, isKmsError } from "../ports.ts";

const firstDelayMs = 100;
const maxDelayMs = 2_000;
/** How long a key that was just made may stay invisible before that is an error. */
const patienceMs = 20_000;

/**
 * Repeats `call` on a key that was just created while KMS does not know it (NotFound) or is still creating it.
 *
 * @throws what the last attempt threw, after 20 s or when the signal aborts
 */
export async function whenVisible<T>(clock: Clock, call: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  const start = clock.elapsedMs();
  for (let delayMs = firstDelayMs; ; delayMs = Math.min(delayMs * 2, maxDelayMs)) {
    try {
      return await call();
    } catch (error) {
      const notYet =
        isKmsError(error, "NOT_FOUND") || (isKmsError(error, "INVALID_STATE") && /\bcreating\b/i.test(error.message));
      if (!notYet || signal?.aborted || clock.elapsedMs() - start + delayMs > patienceMs) throw error;
      try {
        await clock.sleep(delayMs * (0.5 + clock.random() / 2), signal);
      } catch {
        throw error;
      }
    }
  }
}
