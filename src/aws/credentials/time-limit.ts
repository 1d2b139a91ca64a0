/** Time limits for what may never answer: whoever waits is let go, and what is waited for is told to stop. */

/** Calls `fire` after some time, unless what it returns is called before. Replaced in tests. */
export type StartTimer = (ms: number, fire: () => void) => () => void;

/** The process does not end meanwhile: a command that waits for credentials must come to its end. */
export const systemTimer: StartTimer = (ms, fire) => {
  const timer = setTimeout(fire, ms);
  return () => clearTimeout(timer);
};

export interface TimeLimit {
  readonly limitMs: number;
  /** What the caller is told when time is up. */
  readonly timeout: () => Error;
  readonly startTimer?: StartTimer;
}

/** Does some work, and not longer than its limit: then its signal aborts, and whoever waits is let go at once. */
export async function within<T>(limit: TimeLimit, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { limitMs, timeout, startTimer = systemTimer } = limit;
  const abort = new AbortController();
  let cancel = () => {};
  const timeUp = new Promise<never>((_, reject) => {
    cancel = startTimer(limitMs, () => {
      const reason = timeout();
      reject(reason);
      abort.abort(reason);
    });
  });
  try {
    return await Promise.race([work(abort.signal), timeUp]);
  } finally {
    cancel();
  }
}
