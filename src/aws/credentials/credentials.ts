/**
 * When credentials are fetched anew.
 *
 * All clients of a configuration share one source, so that a role is assumed once for many calls. It is asked before
 * every request; what it holds it renews ahead of its expiry without making a request wait, and gives up at once when AWS
 * refuses it: credentials may be rotated on disk, or come back after an outage, and no restart shall be needed.
 */
import { type Clock, isKmsError, type Logger } from "../../key-manager/ports.ts";
import { noTelemetry, type Telemetry } from "../../key-manager/telemetry.ts";
import { sourceTimeout, wordsOf } from "./source-error.ts";
import { type StartTimer, systemTimer, within } from "./time-limit.ts";
import { strikeSecrets, withholdSecrets } from "./withhold-credentials.ts";

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
  /** AWS takes them for a while longer, if their source is out of order: an instance's, as all SDKs have it. */
  readonly usableAfterExpiry?: boolean;
}

/** @param options `forceRefresh`: what a provider remembers will not do */
export type FetchCredentials = (options?: { readonly forceRefresh?: boolean }) => Promise<Credentials>;

/** As early as the SDK renews, so that no request goes out with what expires on its way. */
const renewAheadMs = 5 * 60_000;
/** With less left than this, a request waits for the renewal. */
const tooLateMs = 30_000;
/** But no longer than this, while what is held is still good. */
const patienceMs = 2_000;
/** AWS refusing our credentials makes us fetch anew, but not more often than this; nor do failing renewals. */
const minRefetchMs = 10_000;
/**
 * For a whole fetch. Each source has its own limit, which is told better; this one is for what none of them covers: no fetch
 * may keep its waiters, and all that come after them, for ever.
 */
const fetchLimitMs = 100_000;

const silentLog: Pick<Logger, "info" | "warn"> = { info: () => undefined, warn: () => undefined };

export interface CredentialSourceOptions {
  /** A fresh chain each time: providers remember what they found. */
  readonly makeFetch: () => FetchCredentials;
  readonly clock: Clock;
  readonly log?: Pick<Logger, "info" | "warn">;
  readonly telemetry?: Pick<Telemetry, "count">;
  readonly startTimer?: StartTimer;
}

export class CredentialSource {
  readonly #clock: Clock;
  readonly #makeFetch: () => FetchCredentials;
  readonly #log: Pick<Logger, "info" | "warn">;
  readonly #telemetry: Pick<Telemetry, "count">;
  readonly #startTimer: StartTimer;
  #fetch: FetchCredentials;
  #held: Credentials | undefined;
  #pending: Promise<Credentials> | undefined;
  #triedAt = Number.NEGATIVE_INFINITY;
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #discardedAt = Number.NEGATIVE_INFINITY;
  #failures = 0;

  constructor({ makeFetch, clock, log, telemetry, startTimer }: CredentialSourceOptions) {
    this.#makeFetch = makeFetch;
    this.#fetch = makeFetch();
    this.#clock = clock;
    this.#log = log ?? silentLog;
    this.#telemetry = telemetry ?? noTelemetry;
    this.#startTimer = startTimer ?? systemTimer;
  }

  /** The provider that clients are given. Its answer is never kept by them. */
  readonly provide = async (): Promise<Credentials> => {
    const { accessKeyId, secretAccessKey, sessionToken } = await this.current();
    const token = sessionToken === undefined ? {} : { sessionToken };
    return { accessKeyId, secretAccessKey, ...token, expiration: this.#clock.now() };
  };

  /**
   * AWS has refused what a request was signed with.
   *
   * @param usedSinceMs when that request was begun, by the clock's `elapsedMs`
   * @returns whether trying again makes sense: there may be others now
   */
  discard(usedSinceMs: number): boolean {
    const now = this.#elapsedMs();
    // Of many requests that are refused together, the first does this for all.
    if (usedSinceMs <= this.#discardedAt) return true;
    if (now - this.#discardedAt < minRefetchMs) return false;
    this.#discardedAt = now;
    this.#held = undefined;
    this.#pending = undefined;
    this.#fetch = this.#makeFetch();
    return true;
  }

  /** What a request is to be signed with now: at once, if nothing has to be waited for. Not to be kept. */
  readonly current = (): Credentials | Promise<Credentials> => {
    const held = this.#held;
    if (held === undefined) return this.#renew();
    const leftMs = this.#leftMs(held);
    if (leftMs > renewAheadMs) return held;
    if (leftMs > tooLateMs) {
      if (this.#mayTry()) this.#renew().catch(() => undefined);
      return held;
    }
    // Fetched a moment ago and all but expired: our clock is wrong, and fetching again would change nothing.
    if (this.#elapsedMs() - this.#fetchedAt < minRefetchMs) return held;
    if (leftMs <= 0 && held.usableAfterExpiry === true && !this.#mayTry() && this.#pending === undefined) return held;
    return this.#renewOr(held);
  };

  /** The renewed ones; those that are held if they are good for a while, and the renewal fails or takes its time. */
  async #renewOr(held: Credentials): Promise<Credentials> {
    const renewed = this.#renew();
    if (!this.#isUsable(held)) return renewed;
    const patience = { limitMs: patienceMs, timeout: () => new Error("not yet"), startTimer: this.#startTimer };
    try {
      return await within(patience, () => renewed);
    } catch {
      // The next request tries again, or waits with those that wait already.
      return this.#isUsable(held) ? held : renewed;
    }
  }

  #isUsable(held: Credentials): boolean {
    return this.#leftMs(held) > 0 || held.usableAfterExpiry === true;
  }

  #leftMs({ expiration }: Credentials): number {
    return (expiration?.getTime() ?? Number.POSITIVE_INFINITY) - this.#clock.now().getTime();
  }

  #mayTry(): boolean {
    return this.#elapsedMs() - this.#triedAt >= minRefetchMs;
  }

  /** One fetch at a time, whoever waits for it, and never longer than its limit. */
  #renew(): Promise<Credentials> {
    if (this.#pending !== undefined) return this.#pending;
    this.#triedAt = this.#elapsedMs();
    const options = { forceRefresh: this.#held !== undefined };
    const limit = {
      limitMs: fetchLimitMs,
      timeout: () => sourceTimeout("the source of AWS credentials", fetchLimitMs),
      startTimer: this.#startTimer,
    };
    const pending: Promise<Credentials> = within(limit, () => this.#fetch(options))
      .then(
        (credentials) => this.#took(credentials, pending),
        (error: unknown) => this.#failed(error, pending),
      )
      .finally(() => {
        if (this.#pending === pending) this.#pending = undefined;
      });
    this.#pending = pending;
    return pending;
  }

  #took(credentials: Credentials, pending: Promise<Credentials>): Credentials {
    withholdSecrets(credentials);
    if (this.#pending !== pending) return credentials;
    this.#held = credentials;
    this.#fetchedAt = this.#elapsedMs();
    if (this.#failures > 0) this.#log.info("AWS credentials were renewed again", { failures: this.#failures });
    this.#failures = 0;
    return credentials;
  }

  #failed(error: unknown, pending: Promise<Credentials>): never {
    if (this.#pending === pending) {
      this.#failures++;
      // What hangs may hang for ever: the next fetch shall share nothing with it.
      if (isKmsError(error, "TIMEOUT")) this.#fetch = this.#makeFetch();
    }
    this.#telemetry.count("credential_renewals_failed");
    const held = this.#held;
    const until = held?.expiration === undefined ? {} : { held_until: held.expiration.toISOString() };
    this.#log.warn("AWS credentials could not be had", {
      reason: strikeSecrets(wordsOf(error)),
      failures: this.#failures,
      holding: held !== undefined && this.#isUsable(held),
      ...until,
    });
    throw error;
  }

  #elapsedMs(): number {
    return this.#clock.elapsedMs();
  }
}
