/** The real time. Waiting never stops the process from ending. */
import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "../key-manager/ports.ts";

const lookEveryMs = 60_000;
/** What NTP puts right in passing is less. */
const jumpMs = 5 * 60_000;
/** Timers stand still while the machine sleeps, and the clock does not. */
const ahead = (): number => Date.now() - performance.now();

export const systemClock: Clock = {
  now: () => new Date(),
  elapsedMs: () => performance.now(),
  async sleep(ms, signal) {
    await delay(ms, undefined, { ref: false, ...(signal === undefined ? {} : { signal }) });
  },
  random: Math.random,
  async jumped(signal) {
    for (const before = ahead(); ahead() - before < jumpMs; ) {
      await delay(lookEveryMs, undefined, { ref: false, signal });
    }
  },
};
