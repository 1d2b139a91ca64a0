/**
 * What the key manager needs from the outside: KMS, STS, IAM, time, and a place to log.
 *
 * The names are the AWS operations' own; the shapes are what the domain needs of them, already parsed.
 * Adapters (`src/aws`) translate; tests plug in the embedded KMS or a fake.
 */

/** Per-call options. The signal stops the call, its retries and its waiting. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** How long a call that KMS throttles is tried again, however often. Default: as often as any other call. */
  readonly throttledForMs?: number | undefined;
  /** How long such a call waits between two tries at the least, by and large, where many servers ask at one time. */
  readonly throttledWaitMs?: number | undefined;
}

/** KMS key spec, as `KeyMetadata.KeySpec` has it. Open: an account may hold specs that SPIRE knows nothing of. */
export type KeySpec = string;

/** `KeyMetadata.KeyState`. Open for states that AWS adds. */
export type KeyState =
  | "Enabled"
  | "Disabled"
  | "PendingDeletion"
  | "PendingReplicaDeletion"
  | "Creating"
  | "Updating"
  | (string & {});

/** The members of KMS `KeyMetadata` that decisions are made on. */
export interface KeyMetadata {
  readonly keyId: string;
  readonly arn: string;
  readonly description: string;
  readonly keySpec: KeySpec;
  readonly keyUsage: string;
  readonly keyState: KeyState;
  readonly creationDate: Date | undefined;
  readonly deletionDate: Date | undefined;
  /** `AWS_KMS`, `EXTERNAL`, `AWS_CLOUDHSM`, …; undefined where KMS did not say. */
  readonly origin?: string | undefined;
  readonly customKeyStoreId?: string | undefined;
  /** Of the call that told it, to look it up in CloudTrail; of CreateKey only. */
  readonly requestId?: string | undefined;
  /** Of a multi-Region key only. */
  readonly multiRegion?: MultiRegionMetadata | undefined;
}

export interface MultiRegionMetadata {
  /** Whether the key is a replica, and not the primary. */
  readonly isReplica: boolean;
  /** Undefined where KMS did not say. */
  readonly primaryRegion?: string | undefined;
  readonly replicaRegions: readonly string[];
}

/** Whether the key is scheduled for deletion, so that it cannot be used. */
export const isPendingDeletion = ({ keyState }: KeyMetadata): boolean =>
  keyState === "PendingDeletion" || keyState === "PendingReplicaDeletion";

export interface Tag {
  readonly key: string;
  readonly value: string;
}

export interface CreateKeyInput {
  readonly keySpec: KeySpec;
  readonly description: string;
  /** Key policy document (JSON text). Undefined: KMS's own default policy. */
  readonly policy: string | undefined;
  readonly tags: readonly Tag[];
  /** Whether the key can be replicated into other Regions; for life. */
  readonly multiRegion?: boolean;
}

export interface ReplicateKeyInput {
  /** Of the primary key. */
  readonly keyArn: string;
  readonly region: string;
  readonly description: string;
  /** Undefined: KMS's own default policy. */
  readonly policy: string | undefined;
  readonly tags: readonly Tag[];
}

export interface PublicKeyOutput {
  /** ARN of the key that answered; for an alias, its target at this moment. */
  readonly keyArn: string;
  readonly keySpec: KeySpec | undefined;
  /** SubjectPublicKeyInfo, DER. */
  readonly pkixData: Uint8Array;
}

export interface SignInput {
  readonly keyArn: string;
  /** The digest itself (`MessageType=DIGEST`), of exactly the algorithm's digest length. */
  readonly digest: Uint8Array;
  readonly signingAlgorithm: SigningAlgorithmSpec;
}

export type SigningAlgorithmSpec =
  | "ECDSA_SHA_256"
  | "ECDSA_SHA_384"
  | "RSASSA_PKCS1_V1_5_SHA_256"
  | "RSASSA_PKCS1_V1_5_SHA_384"
  | "RSASSA_PKCS1_V1_5_SHA_512"
  | "RSASSA_PSS_SHA_256"
  | "RSASSA_PSS_SHA_384"
  | "RSASSA_PSS_SHA_512";

/** An entry of ListAliases. AWS-managed aliases may lack everything but the name. */
export interface AliasListEntry {
  readonly aliasName: string;
  readonly aliasArn: string | undefined;
  readonly targetKeyId: string | undefined;
  readonly creationDate: Date | undefined;
  readonly lastUpdatedDate: Date | undefined;
}

export interface KeyListEntry {
  readonly keyId: string;
  readonly keyArn: string;
}

/** One page of a listing, with the moment KMS says it answered (the `Date` header), for ages free of our own clock's error. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly serverTime: Date | undefined;
}

/** Of a call that changed something. */
export interface Receipt {
  /** To look the call up in CloudTrail; undefined where the answer did not tell. */
  readonly requestId: string | undefined;
}

export interface ScheduledDeletion extends Receipt {
  /** When KMS will delete the key, where it says so. */
  readonly deletionDate: Date | undefined;
}

/** What KMS has recorded of a key's use; for a multi-Region key of this replica alone. */
export interface KeyLastUsage {
  /** Of the last successful cryptographic operation. Undefined proves nothing: recording may have begun after it. */
  readonly lastUsedAt: Date | undefined;
}

/** A call's end before its answer. For signatures, which are many: an `AbortSignal` of its own is dear to each. */
export interface Cancellation {
  readonly isCancelled: boolean;
  onCancel(listener: () => void): void;
  offCancel(listener: () => void): void;
  /** The same as a signal, which is made when it is asked for. */
  readonly signal: AbortSignal;
}

/** At most one of them is there. */
export interface SignOptions extends CallOptions {
  readonly cancellation?: Cancellation | undefined;
}

/** The KMS operations in use, one method each. Every method rejects with {@link KmsError} and nothing else. */
export interface KmsClient {
  createKey(input: CreateKeyInput, options?: CallOptions): Promise<KeyMetadata>;
  /** @param keyId key id, key ARN, alias name or alias ARN */
  describeKey(keyId: string, options?: CallOptions): Promise<KeyMetadata>;
  /** @param keyId key id, key ARN, alias name or alias ARN */
  getPublicKey(keyId: string, options?: CallOptions): Promise<PublicKeyOutput>;
  /** @returns the signature: PKCS#1/PSS octets, or a DER ECDSA-Sig-Value */
  sign(input: SignInput, options?: SignOptions): Promise<Uint8Array>;
  /** Every alias of the account and Region, or those of one key (id or ARN), page by page. */
  listAliases(keyId?: string, options?: CallOptions): AsyncIterable<Page<AliasListEntry>>;
  listKeys(options?: CallOptions): AsyncIterable<Page<KeyListEntry>>;
  createAlias(aliasName: string, keyId: string, options?: CallOptions): Promise<Receipt>;
  updateAlias(aliasName: string, keyId: string, options?: CallOptions): Promise<Receipt>;
  deleteAlias(aliasName: string, options?: CallOptions): Promise<void>;
  scheduleKeyDeletion(keyId: string, pendingWindowInDays: number, options?: CallOptions): Promise<ScheduledDeletion>;
  /** @param keyId key id or key ARN */
  getKeyLastUsage(keyId: string, options?: CallOptions): Promise<KeyLastUsage>;
  tagResource(keyId: string, tags: readonly Tag[], options?: CallOptions): Promise<void>;
  /** Asked in the Region of the primary key. @returns the replica, which is not ready yet */
  replicateKey(input: ReplicateKeyInput, options?: CallOptions): Promise<KeyMetadata>;
  /** Makes the replica in that Region the primary. Asked in the Region of the present primary. */
  updatePrimaryRegion(keyId: string, primaryRegion: string, options?: CallOptions): Promise<void>;
}

/** The clients of one Region. */
export interface RegionClients {
  readonly kms: KmsClient;
  readonly tagging: TaggingClient;
}

/** What operators' commands ask of KMS beside {@link KmsClient}; no plugin has it. Rejects with {@link KmsError} alone. */
export interface OperatorClient {
  /** Leaves the key disabled. */
  cancelKeyDeletion(keyId: string): Promise<void>;
  enableKey(keyId: string): Promise<void>;
  /** The key's tags, by their keys. */
  listResourceTags(keyId: string): Promise<ReadonlyMap<string, string>>;
  /** The key policy's text. */
  getKeyPolicy(keyId: string): Promise<string>;
  /** Sign as far as permissions, state and arguments go: nothing is signed. */
  signDryRun(keyId: string, signingAlgorithm: SigningAlgorithmSpec): Promise<void>;
  /**
   * Asks for something to be done to a key of this account that cannot exist; of `ListAliases`, for one alias.
   *
   * @param otherRegion of `ReplicateKey`
   * @returns how KMS refused: that it is not there tells that the caller may; undefined = it was not refused
   */
  probe(operation: ProbedOperation, keyArn: string, otherRegion?: string): Promise<KmsError | undefined>;
}

export type ProbedOperation =
  | "ListAliases"
  | "ReplicateKey"
  | "DescribeKey"
  | "GetPublicKey"
  | "Sign"
  | "GetKeyLastUsage"
  | "ScheduleKeyDeletion"
  | "TagResource";

export interface TagFilter {
  readonly key: string;
  readonly value: string;
}

export interface TaggedKey {
  readonly keyArn: string;
  readonly tags: ReadonlyMap<string, string>;
}

/** The Resource Groups Tagging API, as far as keys are found with it. Lags behind KMS, and may show keys that are deleted. */
export interface TaggingClient {
  /** KMS keys that have all of the tags, page by page. */
  getResources(filters: readonly TagFilter[], options?: CallOptions): AsyncIterable<Page<TaggedKey>>;
}

export interface CallerIdentity {
  /** Twelve digits. */
  readonly account: string;
  readonly arn: string;
}

export interface StsClient {
  getCallerIdentity(options?: CallOptions): Promise<CallerIdentity>;
}

/** A role as its sessions' ARNs show it: without its path. */
export interface RoleInAccount {
  /** `aws`, `aws-cn`, …: IAM is one service for each. */
  readonly partition: string;
  /** Twelve digits; the caller's own. */
  readonly account: string;
  readonly roleName: string;
}

export interface IamClient {
  /**
   * Finds out the ARN of a role, path and all. Bounded in time to a few seconds.
   *
   * @returns the ARN as it was told, unchecked; undefined when there is no IAM to ask: private endpoints, an unknown partition
   * @throws KmsError
   */
  getRoleArn(role: RoleInAccount, options?: CallOptions): Promise<string | undefined>;
}

/** Time and chance, injected so that a test lives through months in a millisecond. */
export interface Clock {
  /** The machine's clock. It may be set, forwards and backwards, at any moment. */
  now(): Date;
  /** For durations: milliseconds since some moment, which no setting of the clock changes. */
  elapsedMs(): number;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Uniform in [0, 1). */
  random(): number;
  /** Resolves when the clock was set forward by minutes, or the machine has slept; rejects when the signal aborts first. */
  jumped?(signal: AbortSignal): Promise<void>;
}

export type LogFields = Readonly<Record<string, unknown>>;

/** Structurally the go-plugin runtime's logger, so that either side can be used without the other. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/**
 * Why a call of KMS, STS or IAM failed.
 *
 * `Aborted` is the caller's own signal; `Timeout` is ours or the socket's. `InvalidRequest` is a fault that the same
 * call will meet again (validation, policy, tags).
 */
export type KmsErrorCode =
  | "NOT_FOUND"
  | "ALREADY_EXISTS"
  | "DISABLED"
  | "INVALID_STATE"
  | "ACCESS_DENIED"
  | "UNAUTHENTICATED"
  | "THROTTLED"
  | "LIMIT_EXCEEDED"
  | "INVALID_REQUEST"
  | "UNAVAILABLE"
  | "TIMEOUT"
  | "ABORTED";

export interface KmsErrorDetails {
  readonly code: KmsErrorCode;
  /** AWS operation name, e.g. `CreateKey`. */
  readonly operation: string;
  /** AWS exception name, e.g. `ThrottlingException`, or the system's error code, e.g. `ECONNREFUSED`. */
  readonly awsName: string;
  readonly requestId?: string | undefined;
  /**
   * True when the call may have taken effect although it failed: an answer that never came, or a server fault.
   * A mutation that failed like this is not simply repeated, nor simply undone.
   */
  readonly outcomeUnknown: boolean;
}

/** Carries no `cause`: the SDK's errors quote requests, headers and tokens included, and causes reach the log. */
export class KmsError extends Error {
  override readonly name = "KmsError";
  readonly code: KmsErrorCode;
  readonly operation: string;
  readonly awsName: string;
  readonly requestId: string | undefined;
  readonly outcomeUnknown: boolean;

  constructor(message: string, details: KmsErrorDetails) {
    super(message);
    this.code = details.code;
    this.operation = details.operation;
    this.awsName = details.awsName;
    this.requestId = details.requestId;
    this.outcomeUnknown = details.outcomeUnknown;
  }
}

/** Whether `error` is a KmsError with one of the codes. */
export function isKmsError(error: unknown, ...codes: readonly KmsErrorCode[]): error is KmsError {
  return error instanceof KmsError && (codes.length === 0 || codes.includes(error.code));
}
