/** The real time. Waiting never stops the process from ending. */
import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "../key-manager/ports.ts";

export const systemClock: Clock = {
  now: () => new Date(),
  async sleep(ms, signal) {
    await delay(ms, undefined, { ref: false, ...(signal === undefined ? {} : { signal }) });
  },
  random: Math.random,
};
