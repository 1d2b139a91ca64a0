/**
 * A second request for a signature that is late: whichever answer comes first is taken, and the other request is cut.
 *
 * KMS answers almost always in tens of milliseconds, and now and then one answer takes a second, while another request for the
 * same is answered at once. Signing twice changes nothing, but each request is paid for: there is one second request for
 * fifty signatures at the most, and none while AWS throttles or where it has lately begun to.
 */
import type { Clock } from "../../key-manager/ports.ts";
import { kmsErrorFrom } from "../calls/aws-error.ts";
import { Cut } from "../calls/cut.ts";
import { LastSecond } from "../calls/last-second.ts";
import type { SignMembers } from "../lean/operations.ts";
import type { Reply, Send } from "../lean/reply.ts";

type SendSign = Send<SignMembers>;

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

/** What becomes of a signature. */
interface RaceOwner {
  readonly send: SendSign;
  succeeded(race: Race): void;
  /** @param error the one that is told */
  failed(race: Race, error: unknown): void;
}

/** One signature, by one or two requests. */
class Race {
  readonly startedAt: number;
  readonly #owner: RaceOwner;
  readonly #members: SignMembers;
  readonly #cut: Cut;
  readonly #requests: Cut[] = [];
  #failures = 0;
  #firstError: unknown;
  #isOver = false;
  #resolve: (reply: Reply) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(owner: RaceOwner, members: SignMembers, cut: Cut, startedAt: number) {
    this.#owner = owner;
    this.#members = members;
    this.#cut = cut;
    this.startedAt = startedAt;
  }

  run(): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#cut.onCut = this.#cutAll;
      this.request();
    });
  }

  request(): void {
    const request = new Cut();
    this.#requests.push(request);
    if (this.#cut.isCut) request.cut();
    this.#owner.send(this.#members, request).then(
      (reply) => this.#succeeded(reply, request),
      (error: unknown) => this.#failed(error),
    );
  }

  #succeeded(reply: Reply, request: Cut): void {
    if (this.#isOver) return;
    this.#end(request);
    this.#resolve(reply);
    this.#owner.succeeded(this);
  }

  #failed(error: unknown): void {
    if (this.#isOver) return;
    this.#failures++;
    if (this.#failures === 1) this.#firstError = error;
    // What came between may spare the other request. A refusal is for both.
    const { code } = kmsErrorFrom("Sign", error);
    if (this.#failures < this.#requests.length && (code === "UNAVAILABLE" || code === "TIMEOUT")) return;
    const told = this.#failures === 1 ? error : this.#firstError;
    this.#end(undefined);
    this.#reject(told);
    this.#owner.failed(this, told);
  }

  /** @param answered the request that is not to be cut, having ended */
  #end(answered: Cut | undefined): void {
    this.#isOver = true;
    this.#cut.onCut = undefined;
    if (this.#requests.length > 1) for (const request of this.#requests) if (request !== answered) request.cut();
  }

  readonly #cutAll = (): void => {
    for (const request of this.#requests) request.cut();
  };
}

export class HedgedSigning implements RaceOwner {
  /** For one request. */
  readonly send: SendSign;
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
    this.send = send;
    this.#options = options;
  }

  /** For one signature, by one request or two. */
  readonly sign: SendSign = (members, cut) => {
    this.#saved = Math.min(maxSaved, this.#saved + share);
    const race = new Race(this, members, cut, this.#now());
    this.#races.add(race);
    if (!this.#isWatching) void this.#watch();
    return race.run();
  };

  succeeded(race: Race): void {
    this.#races.delete(race);
    const now = this.#now();
    this.#successes.count(now);
    this.#latencies[this.#measured++ % remembered] = now - race.startedAt;
    if (this.#measured % reckonEvery !== 0) return;
    const sorted = this.#latencies.toSorted((one, other) => other - one);
    this.#delayMs = Math.max(minDelayMs, sorted[Math.floor(sorted.length / oneIn)] ?? 0);
  }

  failed(race: Race, error: unknown): void {
    this.#races.delete(race);
    if (kmsErrorFrom("Sign", error).code !== "THROTTLED") return;
    const now = this.#now();
    // Of those refused together, the first tells the rate.
    if (now - this.#throttledAt >= 1_000) this.#throttledRate = this.#successes.total(now);
    this.#throttledAt = now;
  }

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

  #now(): number {
    return this.#options.clock.elapsedMs();
  }
}
