/**
 * When credentials are fetched anew.
 *
 * All clients of a configuration share one source, so that a role is assumed once for many calls. It is asked before
 * every request; what it holds it renews ahead of its expiry without making anybody wait, and gives up at once when AWS
 * refuses it: credentials may be rotated on disk, or come back after an outage, and no restart shall be needed.
 */
import type { Clock } from "../../key-manager/ports.ts";
import { withholdSecrets } from "./withhold-credentials.ts";

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

/** @param options `forceRefresh`: what a provider remembers will not do */
export type FetchCredentials = (options?: { readonly forceRefresh?: boolean }) => Promise<Credentials>;

/** As early as the SDK renews, so that no request goes out with what expires on its way. */
const renewAheadMs = 5 * 60_000;
/** With less left than this, a request waits for the renewal. */
const tooLateMs = 30_000;
/** AWS refusing our credentials makes us fetch anew, but not more often than this; nor do failing renewals. */
const minRefetchMs = 10_000;

export class CredentialSource {
  readonly #clock: Clock;
  readonly #makeFetch: () => FetchCredentials;
  #fetch: FetchCredentials;
  #held: Credentials | undefined;
  #pending: Promise<Credentials> | undefined;
  #triedAt = Number.NEGATIVE_INFINITY;
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #discardedAt = Number.NEGATIVE_INFINITY;

  /** @param makeFetch a fresh chain each time: providers remember what they found */
  constructor(makeFetch: () => FetchCredentials, clock: Clock) {
    this.#makeFetch = makeFetch;
    this.#fetch = makeFetch();
    this.#clock = clock;
  }

  /** The provider that clients are given. Its answer is never kept by them. */
  readonly provide = async (): Promise<Credentials> => {
    const { expiration: _, ...credentials } = await this.#current();
    return { ...credentials, expiration: this.#clock.now() };
  };

  /**
   * AWS has refused what a request was signed with.
   *
   * @param usedSince when that request was begun
   * @returns whether trying again makes sense: there may be others now
   */
  discard(usedSince: Date): boolean {
    const now = this.#now();
    // Of many requests that are refused together, the first does this for all.
    if (usedSince.getTime() <= this.#discardedAt) return true;
    if (now - this.#discardedAt < minRefetchMs) return false;
    this.#discardedAt = now;
    this.#held = undefined;
    this.#pending = undefined;
    this.#fetch = this.#makeFetch();
    return true;
  }

  async #current(): Promise<Credentials> {
    const held = this.#held;
    if (held === undefined) return this.#renew();
    const leftMs = (held.expiration?.getTime() ?? Number.POSITIVE_INFINITY) - this.#now();
    if (leftMs > renewAheadMs) return held;
    if (leftMs > tooLateMs) {
      if (this.#now() - this.#triedAt >= minRefetchMs) this.#renew().catch(() => undefined);
      return held;
    }
    // Fetched a moment ago and all but expired: our clock is wrong, and fetching again would change nothing.
    if (this.#now() - this.#fetchedAt < minRefetchMs) return held;
    try {
      return await this.#renew();
    } catch (error) {
      // Still good for a while, and the next request tries again.
      if (leftMs > 0) return held;
      throw error;
    }
  }

  /** One fetch at a time, whoever waits for it. */
  #renew(): Promise<Credentials> {
    if (this.#pending !== undefined) return this.#pending;
    this.#triedAt = this.#now();
    const pending = this.#fetch({ forceRefresh: this.#held !== undefined })
      .then((credentials) => {
        withholdSecrets(credentials);
        if (this.#pending !== pending) return credentials;
        this.#held = credentials;
        this.#fetchedAt = this.#now();
        return credentials;
      })
      .finally(() => {
        if (this.#pending === pending) this.#pending = undefined;
      });
    this.#pending = pending;
    return pending;
  }

  #now(): number {
    return this.#clock.now().getTime();
  }
}
