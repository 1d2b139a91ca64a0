/**
 * What one configuration is made of once it is in effect, as one value: built once, handed to whoever works under it.
 *
 * It begins with what the plugin itself prepares (`src/plugin/aws-kms/preparation.ts`): names, key policy, identity.
 */
import type { KeyManagerConfig } from "./config.ts";
import type { Deletions } from "./deletions.ts";
import { KeyManagerError } from "./errors.ts";
import type { Fleet } from "./fleet/fleet.ts";
import type { KeyRing } from "./keys/key-ring.ts";
import type { KeyNames } from "./names.ts";
import type { KmsTime } from "./pace/kms-time.ts";
import type { LogLimits } from "./pace/log-limit.ts";
import type { Clock, IamClient, KmsClient, Logger, StsClient, TaggingClient } from "./ports.ts";
import type { FailoverSigner } from "./regions/failover/failover-signer.ts";
import type { Regions } from "./regions/regions.ts";
import type { Replication } from "./regions/replication.ts";
import type { TagIdentity } from "./tags/spire-tags.ts";
import type { KeyTagging } from "./tags/tag-mode.ts";
import type { Telemetry } from "./telemetry.ts";

/** What preparing a configuration may use. */
export interface PreparationContext {
  readonly sts: StsClient;
  readonly iam: IamClient;
  readonly log: Logger;
  readonly signal: AbortSignal | undefined;
}

/**
 * The key policy document of a new key; undefined = KMS's default. Asked for when the key is to be made: what it takes may
 * still be under way after Configure. Takes no more than seconds.
 *
 * @throws KeyManagerError when the policy cannot be known by now: then no key is made, rather than one with another policy
 */
export type KeyPolicySource = () => Promise<string | undefined>;

/** What was prepared does not hold any more: another process was faster. Preparing once more gives what holds now. */
export class PreparedInVain extends KeyManagerError {
  constructor(message: string) {
    super("UNAVAILABLE", message);
  }
}

export interface Preparation {
  readonly names: KeyNames;
  readonly keyPolicy: KeyPolicySource;
  /** Who the server is in tags; needed for tag mode only. */
  readonly identity: TagIdentity | undefined;
  /** Told when no key of this server is in KMS although there should be some; for a warning that names what may be wrong. */
  readonly onNoKeys?: () => void;
  /** Makes lasting what had to be decided (a new server id); the last step that can fail. @throws KeyManagerError, PreparedInVain */
  readonly commit: () => Promise<void>;
}

/**
 * The plugin's own part of putting a configuration into effect. Reads files and AWS, changes nothing.
 *
 * @throws KeyManagerError
 */
export type Prepare<C> = (config: C, context: PreparationContext) => Promise<Preparation>;

/** What lasts as long as the process, whatever is configured. */
export interface ProcessServices {
  readonly clock: Clock;
  readonly log: Logger;
  readonly telemetry: Telemetry;
  /** For lines that every failing call would write again. */
  readonly limits: LogLimits;
  readonly deletions: Deletions;
  /** Where this process runs, for people who look for it; e.g. `host-1, process 4711`. */
  readonly processName: string;
}

export interface Setup extends ProcessServices {
  readonly config: KeyManagerConfig;
  readonly kms: KmsClient;
  readonly tagging: TaggingClient;
  readonly names: KeyNames;
  readonly keyPolicy: KeyPolicySource;
  readonly tags: KeyTagging;
  readonly ring: KeyRing;
  readonly kmsTime: KmsTime;
  /** The servers of the trust domain that share the account's quotas. */
  readonly fleet: Fleet;
  readonly regions: Regions;
  readonly replication: Replication;
  readonly failover: FailoverSigner;
  /** Whether the keys were found in another Region, because KMS does not answer in this one: they only sign. */
  readonly isAway: boolean;
  /** Aliases of keys that KMS is still making. */
  readonly awaited: Set<string>;
  /** When the keys were looked for, by KMS's time where it was told. */
  readonly configuredAt: Date;
}

/** As much of it as scans need, which run without a server as well. */
export type ScanSetup = Omit<Setup, "replication" | "failover" | "isAway" | "awaited">;
