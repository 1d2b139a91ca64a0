/**
 * Whether KMS of one Region is asked for signatures: closed while it answers, open once it has failed several times in a row,
 * and brought back by probes that succeed. A state machine over times that it is told; it makes no calls and waits for nothing.
 */

/** Failures in a row, without a success between them, that open it. One failure may be a connection's. */
export const failuresToOpen = 3;
/** Probes in a row that close it again. */
const probesToClose = 2;
const firstProbeMs = 5_000;
const maxProbeMs = 60_000;
/** Between a probe that has succeeded and the next one. */
const nextProbeMs = 1_000;

export class RegionHealth {
  #failures = 0;
  #openedAt: number | undefined;
  #probeAt = 0;
  #backoffMs = firstProbeMs;
  #isProbing = false;
  #probes = 0;

  /** Whether the Region is not to be asked first. */
  get isOpen(): boolean {
    return this.#openedAt !== undefined;
  }

  /** When it opened, in ms; undefined while it is closed. */
  get openedAt(): number | undefined {
    return this.#openedAt;
  }

  /** A signature came in time. */
  succeeded(): void {
    if (!this.isOpen) this.#failures = 0;
  }

  /** KMS did not answer, or with a fault of its own. @returns whether this has opened it */
  failed(now: number): boolean {
    if (this.isOpen) return false;
    this.#failures++;
    if (this.#failures < failuresToOpen) return false;
    this.#openedAt = now;
    this.#backoffMs = firstProbeMs;
    this.#probeAt = now + this.#backoffMs;
    this.#probes = 0;
    return true;
  }

  /** @returns whether the caller is to probe now; it is then the only one until it tells how that ended */
  takeProbe(now: number): boolean {
    if (!this.isOpen || this.#isProbing || now < this.#probeAt) return false;
    this.#isProbing = true;
    return true;
  }

  /** @returns whether this has closed it */
  probed(isAnswered: boolean, now: number): boolean {
    if (!this.#isProbing) return false;
    this.#isProbing = false;
    if (!isAnswered) {
      this.#probes = 0;
      this.#backoffMs = Math.min(this.#backoffMs * 2, maxProbeMs);
      this.#probeAt = now + this.#backoffMs;
      return false;
    }
    this.#probes++;
    this.#probeAt = now + nextProbeMs;
    if (this.#probes < probesToClose) return false;
    this.#openedAt = undefined;
    this.#failures = 0;
    return true;
  }
}
