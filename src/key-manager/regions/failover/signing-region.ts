/** One Region as the failover sees it: asked for a signature, measured, judged. */
import { arnInRegion } from "../../keys/multi-region-key.ts";
import { type Clock, isKmsError, type KmsClient, type SignInput } from "../../ports.ts";
import { Latency } from "./latency.ts";
import { RegionHealth } from "./region-health.ts";

/** How an attempt ended, for what is to be done next. */
export type SigningFailure =
  /** KMS did not answer, or with a fault of its own: another Region may. */
  | "outage"
  /** There was no room for the request in this process: that says nothing of KMS, and another Region has room. */
  | "no room"
  /** KMS's word about the key, the caller or the quota. */
  | "refusal";

export function kindOfFailure(error: unknown): SigningFailure {
  if (isKmsError(error, "UNAVAILABLE", "TIMEOUT")) return "outage";
  return isKmsError(error, "THROTTLED") && error.awsName === "TooManyCallsUnderWay" ? "no room" : "refusal";
}

/** A Region that has not answered for so long is taken for failing, be it only slow. */
export const silentMs = 2_000;

export class SigningRegion {
  readonly region: string;
  readonly health = new RegionHealth();
  readonly latency = new Latency();
  readonly #kms: Pick<KmsClient, "sign">;
  readonly #clock: Clock;
  /** Called when the Region begins and ceases to be avoided. */
  readonly #onChange: (isAnswering: boolean, reason: unknown) => void;

  constructor(
    region: string,
    kms: Pick<KmsClient, "sign">,
    clock: Clock,
    onChange: (isAnswering: boolean, reason: unknown) => void,
  ) {
    this.region = region;
    this.#kms = kms;
    this.#clock = clock;
    this.#onChange = onChange;
  }

  /** @throws KmsError */
  async sign(input: SignInput, signal: AbortSignal): Promise<Uint8Array> {
    const startedAt = this.#clock.elapsedMs();
    const signature = await this.#ask(input, signal);
    this.health.succeeded();
    this.latency.note(this.#clock.elapsedMs() - startedAt);
    return signature;
  }

  failed(reason: unknown): void {
    if (this.health.failed(this.#clock.elapsedMs())) this.#onChange(false, reason);
  }

  /** Asks for the same signature for its own sake, if it is time to. Never rejects; takes no longer than {@link silentMs}. */
  async probe(input: SignInput): Promise<void> {
    if (!this.health.takeProbe(this.#clock.elapsedMs())) return;
    const late = new AbortController();
    const done = new AbortController();
    this.#clock.sleep(silentMs, done.signal).then(
      () => late.abort(),
      () => undefined,
    );
    let isAnswered = true;
    try {
      await this.#ask(input, late.signal);
    } catch (error) {
      // A refusal is an answer.
      isAnswered = !late.signal.aborted && kindOfFailure(error) === "refusal";
    }
    done.abort();
    if (this.health.probed(isAnswered, this.#clock.elapsedMs())) this.#onChange(true, undefined);
  }

  #ask(input: SignInput, signal: AbortSignal): Promise<Uint8Array> {
    return this.#kms.sign({ ...input, keyArn: arnInRegion(input.keyArn, this.region) }, { signal });
  }
}
