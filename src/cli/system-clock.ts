/** The real time, for commands: the process does not end while it waits. */
import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "../key-manager/ports.ts";

export const systemClock: Clock = {
  now: () => new Date(),
  elapsedMs: () => performance.now(),
  async sleep(ms, signal) {
    await delay(ms, undefined, signal === undefined ? {} : { signal });
  },
  random: Math.random,
};
