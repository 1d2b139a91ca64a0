/** What users can set. */

import type { IdentityConfig, OidcProviderConfig, RoleConfig } from "../directory/config.ts";
import type { EmulatorClock } from "../drills/clock.ts";
import type { Limits } from "../framework/limits.ts";
import type { Seeds } from "../seeds/seed-file.ts";
import type { TlsOptions } from "../tls/options.ts";

/** Options of the engine: everything but ports and files. */
export interface EngineOptions {
  /** Account of callers whose access key is not in `identities`. Default "111122223333". */
  readonly account?: string;
  /** Region of calls that show none by host name or signature. Default "us-east-1". */
  readonly region?: string;
  /** Default: the host's clock, which can be moved forward. */
  readonly clock?: EmulatorClock;
  readonly identities?: readonly IdentityConfig[];
  /** Unknown roles can be assumed, and can do everything, unless `authorize` is on. */
  readonly roles?: readonly RoleConfig[];
  /** Without any, web identity tokens are read but not verified. */
  readonly oidcProviders?: readonly OidcProviderConfig[];
  /** Further principals that key policies may name, beside `identities` and `roles`; matters with `authorize` only. */
  readonly principals?: readonly string[];
  /** Verify SigV4: wrong secret, skewed clock, missing or expired token, unknown access key. Default false. */
  readonly verifySignatures?: boolean;
  /** Evaluate key policies and IAM policies; unknown access keys are refused. Default false. */
  readonly authorize?: boolean;
  /**
   * Request quotas per account and Region. `true`: AWS's (docs/aws-kms-behaviour.md, "Quotas"). An object: calls per
   * second by operation name, or by `CryptographicOperationsRSA` and `CryptographicOperationsECC`, over AWS's. Default: none.
   */
  readonly quotas?: boolean | Readonly<Record<string, number>>;
  /** Seed of fault probabilities. Default 1. */
  readonly seed?: number;
  /** Calls kept in the journal. Default 10,000; 0 = none. */
  readonly journalLimit?: number;
  /** Generate at most this many RSA keys per size and share their material. Default 0: every key its own. */
  readonly reuseRsaKeys?: number;
  /** Whether ListAliases shows `alias/aws/...`. Default true. */
  readonly awsManagedAliases?: boolean;
  readonly limits?: Partial<Limits>;
  /** Keys that are there from the beginning, and again after a reset. A data file that holds keys goes before them. */
  readonly seeds?: Seeds;
  /** How long Creating (of replicas) and Updating last, on the emulator's clock. Default 2000. */
  readonly transitionMs?: number;
}

export interface EmulatorOptions extends EngineOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Further seeds, in a JSON file. */
  readonly seedFile?: string;
  /** Keeps the state in this file across restarts. */
  readonly dataFile?: string;
  /**
   * With `dataFile`: true puts every change on the disk before it is answered (survives a power cut), false leaves it with
   * the kernel (survives kill -9). Default false.
   */
  readonly fsync?: boolean;
  /** Serves https:// with a certificate by an authority of the emulator's own. Default: http://. */
  readonly tls?: boolean | TlsOptions;
  /** HTTP control plane; off unless given. */
  readonly control?: { readonly host?: string; readonly port?: number };
  /** A request that has not arrived completely after this time is cut off. Default 30,000. */
  readonly requestTimeoutMs?: number;
}
