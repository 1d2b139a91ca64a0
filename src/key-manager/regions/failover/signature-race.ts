/**
 * One signature, asked for in one Region after the other: in the next one at once when a Region fails, and beside it when
 * a Region is late. The first answer is taken. Who was late is still listened to for a while, to know whether it fails or is
 * only slow.
 */
import { type Clock, isKmsError, KmsError, type SignInput } from "../../ports.ts";
import { kindOfFailure, type SigningRegion, silentMs } from "./signing-region.ts";

export interface RegionalSignature {
  readonly signature: Uint8Array;
  readonly region: string;
}

interface Attempt {
  readonly region: SigningRegion;
  readonly startedAt: number;
  readonly controller: AbortController;
  isOver: boolean;
}

interface Settle {
  resolve(signature: RegionalSignature): void;
  reject(error: unknown): void;
}

export interface RaceOptions {
  readonly clock: Clock;
  readonly input: SignInput;
  /** Those to ask, in this order. */
  readonly order: readonly SigningRegion[];
  /** The Region of the key itself: what it refuses is refused. */
  readonly home: SigningRegion;
  readonly signal: AbortSignal | undefined;
}

const silence = () =>
  new KmsError(`no answer within ${silentMs / 1000} s`, {
    code: "TIMEOUT",
    operation: "Sign",
    awsName: "TimeoutError",
    outcomeUnknown: true,
  });

export class SignatureRace {
  readonly startedAt: number;
  readonly #options: RaceOptions;
  readonly #attempts: Attempt[] = [];
  readonly #failures = new Map<SigningRegion, unknown>();
  /** Ends the waiting for those that are late. */
  readonly #over = new AbortController();
  #settle: Settle | undefined;

  constructor(options: RaceOptions) {
    this.#options = options;
    this.startedAt = options.clock.elapsedMs();
  }

  /** How long its first Region may take. */
  get lateMs(): number {
    return this.#options.order[0]?.latency.lateMs ?? Number.POSITIVE_INFINITY;
  }

  /** @throws KmsError */
  run(): Promise<RegionalSignature> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#options.signal?.addEventListener("abort", this.#cut, { once: true });
      this.#askNext();
    });
  }

  /** Its first Region is late. */
  hedge(): void {
    if (this.#settle !== undefined && this.#attempts.length === 1) this.#askNext();
  }

  #askNext(): void {
    const { order, input, clock, signal } = this.#options;
    const region = order[this.#attempts.length];
    if (region === undefined) return;
    const controller = new AbortController();
    const attempt: Attempt = { region, startedAt: clock.elapsedMs(), controller, isOver: false };
    this.#attempts.push(attempt);
    if (signal?.aborted) controller.abort();
    region.sign(input, controller.signal).then(
      (signature) => this.#answered(attempt, signature),
      (error: unknown) => this.#failed(attempt, error),
    );
    // The first one is watched for all races together.
    if (this.#attempts.length > 1) void this.#askNextIfLate(attempt);
  }

  async #askNextIfLate(attempt: Attempt): Promise<void> {
    try {
      await this.#options.clock.sleep(attempt.region.latency.lateMs, this.#over.signal);
    } catch {
      return;
    }
    if (!attempt.isOver && this.#attempts.at(-1) === attempt) this.#askNext();
  }

  #answered(attempt: Attempt, signature: Uint8Array): void {
    attempt.isOver = true;
    this.#end(({ resolve }) => resolve({ signature, region: attempt.region.region }));
  }

  #failed(attempt: Attempt, error: unknown): void {
    if (attempt.isOver) return;
    attempt.isOver = true;
    const { region } = attempt;
    const { home, signal } = this.#options;
    const kind = kindOfFailure(error);
    if (kind === "outage") region.failed(error);
    if (this.#settle === undefined) return;
    this.#failures.set(region, error);
    const isRefused = kind === "refusal" && region === home;
    // A throttled home Region does not spoil what another is about to answer, but none is asked for its sake.
    const isFinal = isRefused && !(isKmsError(error, "THROTTLED") && this.#isUnderWay);
    if (isFinal || signal?.aborted) {
      this.#end(({ reject }) => reject(error));
      return;
    }
    if (!isRefused && !this.#isUnderWay) this.#askNext();
    if (!this.#isUnderWay) this.#end(({ reject }) => reject(this.#failures.get(home) ?? error));
  }

  get #isUnderWay(): boolean {
    return this.#attempts.some(({ isOver }) => !isOver);
  }

  #end(settle: (promise: Settle) => void): void {
    if (this.#settle === undefined) return;
    settle(this.#settle);
    this.#settle = undefined;
    this.#over.abort();
    this.#options.signal?.removeEventListener("abort", this.#cut);
    for (const attempt of this.#attempts) if (!attempt.isOver) void this.#judge(attempt);
  }

  async #judge(attempt: Attempt): Promise<void> {
    const { clock } = this.#options;
    const leftMs = attempt.startedAt + silentMs - clock.elapsedMs();
    if (leftMs > 0) await clock.sleep(leftMs).catch(() => undefined);
    if (attempt.isOver) return;
    attempt.isOver = true;
    attempt.controller.abort();
    attempt.region.failed(silence());
  }

  readonly #cut = (): void => {
    for (const { controller } of this.#attempts) controller.abort();
  };
}
