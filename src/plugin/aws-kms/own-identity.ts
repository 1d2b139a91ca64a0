/**
 * Who the server is to AWS: asked of STS once for each configuration, beside everything else.
 *
 * Only the default policy of a new key needs the answer, so a start never waits for it and never fails for want of it.
 * While it is missing, each key that is to be made asks again.
 */
import { explain, KeyManagerError, keyManagerError } from "../../key-manager/errors.ts";
import type { CallerIdentity, Clock, Logger, StsClient } from "../../key-manager/ports.ts";

/** Who makes a key waits this long, which leaves the greater part of SPIRE's 30 s to the making. */
const limitMs = 10_000;

const attempt =
  "failed to find out who the server is to AWS, which the default key policy needs and a key_policy_file does not";

const principal = /^arn:[a-z0-9-]+:(iam|sts)::\d{12}:/;

export interface OwnIdentityOptions {
  readonly sts: StsClient;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told the answer when it is there. */
  readonly onKnown: (caller: CallerIdentity) => void;
}

export class OwnIdentity {
  readonly #options: OwnIdentityOptions;
  #known: CallerIdentity | undefined;
  #underWay: Promise<CallerIdentity> | undefined;

  constructor(options: OwnIdentityOptions) {
    this.#options = options;
  }

  /** Asks without waiting. A failure is told, and is no obstacle yet. */
  askInBackground(): void {
    this.#ask().catch((error: unknown) =>
      this.#options.log.warn("AWS STS does not tell who the server is: no key can be made until it does", {
        reason: explain(error),
        advice: "keys at hand are not affected; a key_policy_file makes the question needless",
      }),
    );
  }

  /**
   * The answer, asked for again when the last attempt failed. An answer that comes too late serves the next caller.
   *
   * @throws KeyManagerError with STS's reason, or `DEADLINE_EXCEEDED` after ten seconds
   */
  async found(): Promise<CallerIdentity> {
    if (this.#known !== undefined) return this.#known;
    const done = new AbortController();
    const late = this.#options.clock.sleep(limitMs, done.signal).then(
      () => {
        throw new KeyManagerError(
          "DEADLINE_EXCEEDED",
          `${attempt}: GetCallerIdentity: no answer within ${limitMs / 1000} s; check the network and sts_endpoint`,
        );
      },
      () => new Promise<never>(() => undefined),
    );
    try {
      return await Promise.race([this.#ask(), late]);
    } catch (error) {
      throw keyManagerError(attempt, error);
    } finally {
      done.abort();
    }
  }

  #ask(): Promise<CallerIdentity> {
    this.#underWay ??= this.#fetch().finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }

  async #fetch(): Promise<CallerIdentity> {
    const { sts, onKnown } = this.#options;
    const caller = await sts.getCallerIdentity();
    if (!principal.test(caller.arn)) {
      const shown = JSON.stringify(caller.arn.slice(0, 200));
      throw new KeyManagerError("UNAVAILABLE", `${attempt}: GetCallerIdentity: ${shown} is no ARN of a principal`);
    }
    this.#known = caller;
    onKnown(caller);
    return caller;
  }
}
