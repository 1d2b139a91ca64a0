/**
 * KMS's own time, by which ages are told: this machine's clock may be wrong, and so may be that of whoever answers in
 * KMS's place. Where the two do not bear each other out, no age is believed.
 */
import type { Clock } from "../ports.ts";
import { formatDuration } from "./duration.ts";

/** The time, or why it is in doubt. */
export type TimeReading = { readonly now: Date } | { readonly doubt: string };

/** AWS refuses requests whose signature is further away than this (SigV4). */
const maxDifferenceMs = 15 * 60_000;
/** Several machines answer for KMS; their clocks are not exactly alike, and the header has whole seconds. */
const maxStepBackMs = 60_000;

export class KmsTime {
  readonly #clock: Clock;
  #latestMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param serverTime when KMS says it gave an answer that was just received */
  read(serverTime: Date | undefined): TimeReading {
    if (serverTime === undefined) return { doubt: "KMS's answer does not tell the time (Date header)" };
    const own = this.#clock.now();
    const differenceMs = Math.abs(serverTime.getTime() - own.getTime());
    if (differenceMs > maxDifferenceMs) {
      const minutes = formatDuration(Math.round(differenceMs / 60_000) * 60_000);
      return {
        doubt: `KMS's time (${serverTime.toISOString()}) and this machine's (${own.toISOString()}) differ by ${minutes}: set the clock`,
      };
    }
    if (serverTime.getTime() < this.#latestMs - maxStepBackMs) {
      const before = new Date(this.#latestMs).toISOString();
      return { doubt: `KMS's time went back from ${before} to ${serverTime.toISOString()}` };
    }
    this.#latestMs = Math.max(this.#latestMs, serverTime.getTime());
    return { now: serverTime };
  }
}

/** The time of a scan: of its last answer, and in doubt as soon as one answer is. */
export class ScanTime {
  readonly #time: KmsTime;
  #reading: TimeReading | undefined;

  constructor(time: KmsTime) {
    this.#time = time;
  }

  /** @param serverTime of one answer */
  note(serverTime: Date | undefined): void {
    const reading = this.#time.read(serverTime);
    if (this.#reading === undefined || "now" in this.#reading) this.#reading = reading;
  }

  get reading(): TimeReading {
    return this.#reading ?? { doubt: "KMS has not answered" };
  }
}
