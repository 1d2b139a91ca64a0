/** A checked configuration, as far as the engine knows it: settings read by `src/plugin`, whatever plugin they are of. */
import type { Tag } from "./ports.ts";

export interface StaticCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
}

/** Over which connections signatures are asked for: the plugin's own, or the AWS SDK's. */
export type SignTransport = "own" | "sdk";

export interface ListenAddress {
  /** A loopback address. */
  readonly host: string;
  readonly port: number;
}

/** A role to assume with the credentials found. */
export interface AssumeRoleConfig {
  readonly roleArn: string;
  readonly externalId: string | undefined;
  readonly sessionName: string;
}

/** What any key manager needs, whatever its naming scheme. */
export interface KeyManagerConfig {
  readonly region: string;
  /** Undefined: the AWS SDK's default chain. */
  readonly credentials: StaticCredentials | undefined;
  /** Name of a profile in the AWS shared files, for the default chain. */
  readonly profile: string | undefined;
  readonly assumeRole: AssumeRoleConfig | undefined;
  /** Undefined: the SDK's environment variables and shared configuration decide. */
  readonly useFipsEndpoint: boolean | undefined;
  readonly useDualstackEndpoint: boolean | undefined;
  /** Undefined: the SDK's endpoint variables, shared configuration, and the Region's own endpoint. */
  readonly endpoint: string | undefined;
  readonly stsEndpoint: string | undefined;
  readonly keyTags: readonly Tag[];
  readonly pendingWindowInDays: number;
  /** 0 = no ceiling. */
  readonly maxKeysCreatedPerHour: number;
  /** Ceiling on keys of this server that are in use or still to be scheduled for deletion; 0 = none. */
  readonly maxLiveKeys: number;
  readonly strictKeyDiscovery: boolean;
  /** Check each signature against the public key before it is returned. */
  readonly verifySignatures: boolean;
  readonly signTransport: SignTransport;
  /** KMS is asked a second time for a signature that is late. */
  readonly hedgeSignatures: boolean;
  /** Keys are found and refreshed by the plugin's own tags; aliases are refreshed all the same. */
  readonly tagBasedKeyDiscovery: boolean;
  /** `keyTags` are brought onto existing keys, too. */
  readonly retagExistingKeys: boolean;
  /** Another process with our identity is not followed: generations fail instead. */
  readonly refuseSharedIdentity: boolean;
  /** SignData is answered without grpc-js. */
  readonly grpcFastPath: boolean;
  /** Where Prometheus may ask; undefined: nowhere. */
  readonly metricsListen: ListenAddress | undefined;
  /** Undefined: nothing is refreshed or pruned. */
  readonly upkeep: UpkeepConfig | undefined;
  readonly multiRegion: MultiRegionConfig;
}

/** Keys in more Regions than one. */
export interface MultiRegionConfig {
  /** Whether new keys are multi-Region primary keys. */
  readonly isOn: boolean;
  /** Where each key gets a replica, which is refreshed and scheduled for deletion with it. */
  readonly replicaRegions: readonly string[];
  /** Where signatures are asked for when KMS fails in the Region of the keys, the first choice first. */
  readonly failoverRegions: readonly string[];
  /** URL of KMS by Region, where it is not what `endpoint` and the environment say. */
  readonly endpoints: ReadonlyMap<string, string>;
  /** Whether keys are made although the primary keys of this server are in another Region. */
  readonly makesKeysOnStandby: boolean;
}

export const singleRegion: MultiRegionConfig = {
  isOn: false,
  replicaRegions: [],
  failoverRegions: [],
  endpoints: new Map(),
  makesKeysOnStandby: false,
};

/** When keys are refreshed and stale ones pruned. All times in milliseconds. */
export interface UpkeepConfig {
  readonly aliasRefreshIntervalMs: number;
  readonly staleAliasScanIntervalMs: number;
  readonly staleAliasThresholdMs: number;
  readonly staleKeyScanIntervalMs: number;
  readonly staleKeyThresholdMs: number;
  /** Each task first runs at a random moment within this time after Configure. */
  readonly scanStartDelayMs: number;
  readonly pruneDryRun: boolean;
  /** What a scan finds is looked at again after this time; 0 = at once. */
  readonly pruneConfirmDelayMs: number;
  /** Keys that do not tell which of two trust domains written alike in aliases they belong to are pruned, too. */
  readonly pruneAmbiguousKeys: boolean;
  readonly maxDeletionsPerScan: number;
  /** In a large fleet one server scans for all, in turn; otherwise each scans. */
  readonly shareScans: boolean;
}
