/**
 * A second request for a signature that is late: whichever answer comes first is taken, and the other request is cut.
 *
 * KMS answers almost always in tens of milliseconds, and now and then one answer takes a second, while another request for the
 * same is answered at once. Signing twice changes nothing, but each request is paid for: there is one second request for
 * fifty signatures at the most, and none while AWS throttles or where it has lately begun to.
 */
import type { Clock } from "../../key-manager/ports.ts";
import { kmsErrorFrom } from "../calls/aws-error.ts";
import { LastSecond } from "../calls/last-second.ts";
import type { SignMembers } from "./sign-form.ts";
import type { SendSign, SignReply } from "./sign-sender.ts";

/** No signature is late before. */
const minDelayMs = 200;
/** Later than all but one of so many. */
const oneIn = 20;
/** How many latencies are remembered, and after how many the delay is reckoned anew. */
const remembered = 256;
const reckonEvery = 32;
/** Second requests for each first one, and how many may be saved up. */
const share = 0.02;
const maxSaved = 10;
const afterThrottlingMs = 60_000;
/** How long the rate at which AWS throttled is remembered, and how much of it is too near. */
const quotaKnownMs = 3_600_000;
const nearQuota = 0.8;

export interface HedgeOptions {
  readonly clock: Clock;
  /** Called for each second request. */
  readonly onHedge: () => void;
}

interface Settle {
  resolve(reply: SignReply): void;
  reject(error: unknown): void;
}

/** One signature, by one or two requests. */
class Race {
  readonly members: SignMembers;
  readonly startedAt: number;
  readonly #send: SendSign;
  readonly #signal: AbortSignal | undefined;
  readonly #requests: AbortController[] = [];
  #failures = 0;
  #firstError: unknown;
  #settle: Settle | undefined;

  constructor(send: SendSign, members: SignMembers, signal: AbortSignal | undefined, startedAt: number) {
    this.#send = send;
    this.members = members;
    this.#signal = signal;
    this.startedAt = startedAt;
  }

  run(): Promise<SignReply> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#signal?.addEventListener("abort", this.#cut, { once: true });
      this.request();
    });
  }

  request(): void {
    const request = new AbortController();
    this.#requests.push(request);
    if (this.#signal?.aborted) request.abort();
    this.#send(this.members, request.signal).then(
      (reply) => this.#end(({ resolve }) => resolve(reply), request),
      (error: unknown) => this.#failed(error),
    );
  }

  #failed(error: unknown): void {
    if (this.#settle === undefined) return;
    this.#failures++;
    if (this.#failures === 1) this.#firstError = error;
    // What came between may spare the other request. A refusal is for both.
    const { code } = kmsErrorFrom("Sign", error);
    const isOpen = this.#failures < this.#requests.length && (code === "UNAVAILABLE" || code === "TIMEOUT");
    if (!isOpen) this.#end(({ reject }) => reject(this.#failures === 1 ? error : this.#firstError));
  }

  /** @param answered the request that is not to be cut, having ended */
  #end(settle: (promise: Settle) => void, answered?: AbortController): void {
    if (this.#settle === undefined) return;
    settle(this.#settle);
    this.#settle = undefined;
    this.#signal?.removeEventListener("abort", this.#cut);
    if (this.#requests.length > 1) for (const request of this.#requests) if (request !== answered) request.abort();
  }

  readonly #cut = (): void => {
    for (const request of this.#requests) request.abort();
  };
}

export class HedgedSigning {
  readonly #send: SendSign;
  readonly #options: HedgeOptions;
  /** Signatures with one request under way, the oldest first. */
  readonly #races = new Set<Race>();
  readonly #latencies: number[] = [];
  readonly #successes = new LastSecond();
  #measured = 0;
  #delayMs = minDelayMs;
  #saved = 0;
  #throttledAt = Number.NEGATIVE_INFINITY;
  /** Signatures a second that went through when AWS last throttled. */
  #throttledRate = 0;
  #isWatching = false;

  constructor(send: SendSign, options: HedgeOptions) {
    this.#send = send;
    this.#options = options;
  }

  readonly send: SendSign = async (members, signal) => {
    this.#saved = Math.min(maxSaved, this.#saved + share);
    const race = new Race(this.#send, members, signal, this.#now());
    this.#races.add(race);
    if (!this.#isWatching) void this.#watch();
    try {
      const reply = await race.run();
      this.#succeeded(race);
      return reply;
    } catch (error) {
      if (kmsErrorFrom("Sign", error).code === "THROTTLED") this.#throttled();
      throw error;
    } finally {
      this.#races.delete(race);
    }
  };

  /** One timer for all: each signature's own would cost more than it is worth. */
  async #watch(): Promise<void> {
    this.#isWatching = true;
    for (let [oldest] = this.#races; oldest !== undefined; [oldest] = this.#races) {
      const leftMs = oldest.startedAt + this.#delayMs - this.#now();
      if (leftMs > 0) await this.#options.clock.sleep(leftMs);
      if (!this.#races.delete(oldest) || !this.#mayHedge()) continue;
      this.#saved--;
      this.#options.onHedge();
      oldest.request();
    }
    this.#isWatching = false;
  }

  #mayHedge(): boolean {
    const now = this.#now();
    if (this.#saved < 1 || now - this.#throttledAt < afterThrottlingMs) return false;
    if (now - this.#throttledAt >= quotaKnownMs) return true;
    return this.#successes.total(now) < this.#throttledRate * nearQuota;
  }

  #succeeded({ startedAt }: Race): void {
    const now = this.#now();
    this.#successes.count(now);
    this.#latencies[this.#measured++ % remembered] = now - startedAt;
    if (this.#measured % reckonEvery !== 0) return;
    const sorted = this.#latencies.toSorted((one, other) => other - one);
    this.#delayMs = Math.max(minDelayMs, sorted[Math.floor(sorted.length / oneIn)] ?? 0);
  }

  #throttled(): void {
    const now = this.#now();
    // Of those refused together, the first tells the rate.
    if (now - this.#throttledAt >= 1_000) this.#throttledRate = this.#successes.total(now);
    this.#throttledAt = now;
  }

  #now(): number {
    return this.#options.clock.elapsedMs();
  }
}
