/**
 * Where the clients' credentials come from, and when they are fetched anew.
 *
 * All clients of a configuration share one source, so that a role is assumed once for many calls. It is asked before
 * every request; what it holds it renews ahead of its expiry, and gives up at once when AWS refuses it: credentials may
 * be rotated on disk, or come back after an outage, and no restart shall be needed.
 */
import { AssumeRoleCommand, STSClient, type STSClientConfig } from "@aws-sdk/client-sts";
import { defaultProvider } from "@aws-sdk/credential-provider-node";
import type { KeyManagerConfig } from "../key-manager/config.ts";
import type { Clock } from "../key-manager/ports.ts";

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

export type CredentialConfig = Pick<KeyManagerConfig, "credentials" | "profile" | "assumeRole">;

type Fetch = () => Promise<Credentials>;

/** As early as the SDK renews, so that no request goes out with what expires on its way. */
const renewAheadMs = 5 * 60_000;
/** AWS refusing our credentials makes us fetch anew, but not more often than this. */
const minRefetchMs = 10_000;

export class CredentialSource {
  readonly #clock: Clock;
  readonly #makeFetch: () => Fetch;
  #fetch: Fetch;
  #held: Credentials | undefined;
  #pending: Promise<Credentials> | undefined;
  #discardedAt = Number.NEGATIVE_INFINITY;

  /** @param makeFetch a fresh chain each time: providers remember what they found */
  constructor(makeFetch: () => Fetch, clock: Clock) {
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
   * AWS has refused what we hold.
   *
   * @returns whether trying again makes sense
   */
  discard(): boolean {
    const now = this.#clock.now().getTime();
    if (now - this.#discardedAt < minRefetchMs) return false;
    this.#discardedAt = now;
    this.#held = undefined;
    this.#fetch = this.#makeFetch();
    return true;
  }

  async #current(): Promise<Credentials> {
    const held = this.#held;
    const left = (held?.expiration?.getTime() ?? Number.POSITIVE_INFINITY) - this.#clock.now().getTime();
    if (held !== undefined && left > renewAheadMs) return held;
    try {
      return await this.#renew();
    } catch (error) {
      // Still good for a while, and the next request tries again.
      if (held !== undefined && left > 0) return held;
      throw error;
    }
  }

  #renew(): Promise<Credentials> {
    this.#pending ??= this.#fetch()
      .then((credentials) => {
        this.#held = credentials;
        return credentials;
      })
      .finally(() => {
        this.#pending = undefined;
      });
    return this.#pending;
  }
}

function baseFetch({ credentials, profile }: CredentialConfig): Fetch {
  if (credentials !== undefined) {
    const { accessKeyId, secretAccessKey, sessionToken } = credentials;
    const fixed = { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
    return async () => fixed;
  }
  return defaultProvider({ ignoreCache: true, ...(profile === undefined ? {} : { profile }) });
}

/** STS's default, and the most a chained role may have. */
const sessionSeconds = 3600;

function assumedRoleFetch(
  base: Fetch,
  { roleArn, externalId, sessionName }: NonNullable<CredentialConfig["assumeRole"]>,
  stsConfig: STSClientConfig,
): Fetch {
  const sts = new STSClient({ ...stsConfig, credentials: base });
  return async () => {
    const { Credentials: answer } = await sts.send(
      new AssumeRoleCommand({
        RoleArn: roleArn,
        RoleSessionName: sessionName,
        DurationSeconds: sessionSeconds,
        ...(externalId === undefined ? {} : { ExternalId: externalId }),
      }),
    );
    const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = answer ?? {};
    if (AccessKeyId === undefined || SecretAccessKey === undefined || SessionToken === undefined) {
      throw new Error("AssumeRole answered without credentials");
    }
    return {
      accessKeyId: AccessKeyId,
      secretAccessKey: SecretAccessKey,
      sessionToken: SessionToken,
      ...(Expiration === undefined ? {} : { expiration: Expiration }),
    };
  };
}

/** @param stsConfig Region, endpoint and handler for AssumeRole */
export function createCredentialSource(
  config: CredentialConfig,
  stsConfig: STSClientConfig,
  clock: Clock,
): CredentialSource {
  const { assumeRole } = config;
  return new CredentialSource(() => {
    const base = baseFetch(config);
    return assumeRole === undefined ? base : assumedRoleFetch(base, assumeRole, stsConfig);
  }, clock);
}
