/** The KmsClient port over AWS SDK v3: requests out, answers checked once and turned into the domain's shapes. */
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DeleteAliasCommand,
  GetKeyLastUsageCommand,
  type KMSClient,
  ReplicateKeyCommand,
  ScheduleKeyDeletionCommand,
  type KeySpec as SdkKeySpec,
  TagResourceCommand,
  UpdatePrimaryRegionCommand,
} from "@aws-sdk/client-kms";
import type {
  AliasListEntry,
  CallOptions,
  CreateKeyInput,
  KeyLastUsage,
  KeyListEntry,
  KeyMetadata,
  KmsClient,
  Page,
  PublicKeyOutput,
  Receipt,
  ReplicateKeyInput,
  ScheduledDeletion,
  SignInput,
  SignOptions,
  Tag,
} from "../key-manager/ports.ts";
import { CallLimiter } from "./calls/call-limiter.ts";
import type { Cut } from "./calls/cut.ts";
import { type PageAnswer, pages } from "./calls/pages.ts";
import { abortBy, type Caller, withRetries } from "./calls/retry.ts";
import {
  aliasesFrom,
  bareKeyId,
  deletionDateFrom,
  keyMetadataFrom,
  keysFrom,
  lastUsageFrom,
  publicKeyFrom,
  receiptFrom,
  receiptOf,
  replicaMetadataFrom,
  signatureFrom,
} from "./kms-answers.ts";
import { type KmsSenders, sendersBySdk } from "./lean/kms-senders.ts";

const aliasesPerPage = 100;
const keysPerPage = 1_000;
/** Under way: ten times what KMS's quota needs at its usual latency. Waiting: about a second's worth. */
const signLimits = { maxUnderWay: 128, maxWaiting: 1_024 };
/** CreateKey is never repeated, and a key whose ARN did not arrive is an orphan: it gets most of SPIRE's 30 s. */
const createKeyTimeoutMs = 25_000;

/** The SDK's per-call options. */
const by = (cut: Cut) => ({ abortSignal: cut.signal });

const sdkTags = (tags: readonly Tag[]) => tags.map(({ key, value }) => ({ TagKey: key, TagValue: value }));

export class AwsKmsClient implements KmsClient {
  readonly #sdk: KMSClient;
  readonly #caller: Caller;
  /** KMS has one quota for signatures with RSA keys and one for those with EC keys. */
  readonly #signingLimiters: { readonly rsa: CallLimiter; readonly ec: CallLimiter };
  readonly #senders: KmsSenders;

  /**
   * @param sdk a client that makes no retries of its own (`maxAttempts: 1`)
   * @param senders for calls that are many, by whichever way; the SDK by default
   */
  constructor(sdk: KMSClient, caller: Caller, senders: KmsSenders = sendersBySdk(sdk)) {
    this.#sdk = sdk;
    this.#caller = caller;
    this.#senders = senders;
    const limiter = () => new CallLimiter(caller.clock, signLimits);
    this.#signingLimiters = { rsa: limiter(), ec: limiter() };
  }

  async createKey(input: CreateKeyInput, options: CallOptions = {}): Promise<KeyMetadata> {
    const command = {
      // The domain asks for the specs of SPIRE's key types only.
      KeySpec: input.keySpec as SdkKeySpec,
      KeyUsage: "SIGN_VERIFY",
      Description: input.description,
      ...(input.policy === undefined ? {} : { Policy: input.policy }),
      ...(input.tags.length === 0 ? {} : { Tags: sdkTags(input.tags) }),
      ...(input.multiRegion ? { MultiRegion: true } : {}),
    } as const;
    const sendOptions = { ...abortBy(options.signal), requestTimeout: createKeyTimeoutMs };
    const create = async () => {
      const output = await this.#sdk.send(new CreateKeyCommand(command), sendOptions);
      return { ...keyMetadataFrom("CreateKey", output), ...receiptOf(output) };
    };
    return withRetries(create, {
      operation: "CreateKey",
      caller: this.#caller,
      signal: options.signal,
      repeatable: false,
      throttledForMs: options.throttledForMs,
      throttledWaitMs: options.throttledWaitMs,
    });
  }

  async describeKey(keyId: string, options: CallOptions = {}): Promise<KeyMetadata> {
    return this.#call("DescribeKey", options, async (cut) => {
      const { output } = await this.#senders.describeKey({ KeyId: keyId }, cut);
      return keyMetadataFrom("DescribeKey", output, keyId);
    });
  }

  async getPublicKey(keyId: string, options: CallOptions = {}): Promise<PublicKeyOutput> {
    return this.#call("GetPublicKey", options, async (cut) =>
      publicKeyFrom((await this.#senders.getPublicKey({ KeyId: keyId }, cut)).output, keyId),
    );
  }

  async sign(input: SignInput, { signal, cancellation }: SignOptions = {}): Promise<Uint8Array> {
    const members = {
      KeyId: input.keyArn,
      Message: input.digest,
      MessageType: "DIGEST",
      SigningAlgorithm: input.signingAlgorithm,
    } as const;
    const sign = async (cut: Cut) => {
      const { output } = await this.#senders.sign(members, cut);
      return signatureFrom(output, input.keyArn);
    };
    return withRetries(sign, {
      operation: "Sign",
      caller: this.#caller,
      signal,
      cancellation,
      repeatable: true,
      limiter: this.#signingLimiters[input.signingAlgorithm.startsWith("ECDSA") ? "ec" : "rsa"],
    });
  }

  listAliases(keyId?: string, options: CallOptions = {}): AsyncIterable<Page<AliasListEntry>> {
    return this.#pages("ListAliases", options, async (Marker, cut) => {
      const input = { KeyId: keyId, Limit: aliasesPerPage, Marker };
      const { output, serverTime } = await this.#senders.listAliases(input, cut);
      return { ...aliasesFrom(output), serverTime };
    });
  }

  listKeys(options: CallOptions = {}): AsyncIterable<Page<KeyListEntry>> {
    return this.#pages("ListKeys", options, async (Marker, cut) => {
      const { output, serverTime } = await this.#senders.listKeys({ Limit: keysPerPage, Marker }, cut);
      return { ...keysFrom(output), serverTime };
    });
  }

  async createAlias(aliasName: string, keyId: string, options: CallOptions = {}): Promise<Receipt> {
    return this.#call("CreateAlias", options, async (cut) =>
      receiptOf(await this.#sdk.send(new CreateAliasCommand({ AliasName: aliasName, TargetKeyId: keyId }), by(cut))),
    );
  }

  async updateAlias(aliasName: string, keyId: string, options: CallOptions = {}): Promise<Receipt> {
    return this.#call("UpdateAlias", options, async (cut) =>
      receiptFrom((await this.#senders.updateAlias({ AliasName: aliasName, TargetKeyId: keyId }, cut)).requestId),
    );
  }

  async deleteAlias(aliasName: string, options: CallOptions = {}): Promise<void> {
    await this.#call("DeleteAlias", options, (cut) =>
      this.#sdk.send(new DeleteAliasCommand({ AliasName: aliasName }), by(cut)),
    );
  }

  async scheduleKeyDeletion(
    keyId: string,
    pendingWindowInDays: number,
    options: CallOptions = {},
  ): Promise<ScheduledDeletion> {
    const input = { KeyId: bareKeyId(keyId), PendingWindowInDays: pendingWindowInDays };
    return this.#call("ScheduleKeyDeletion", options, async (cut) => {
      const output = await this.#sdk.send(new ScheduleKeyDeletionCommand(input), by(cut));
      return { deletionDate: deletionDateFrom(output, keyId), ...receiptOf(output) };
    });
  }

  async getKeyLastUsage(keyId: string, options: CallOptions = {}): Promise<KeyLastUsage> {
    return this.#call("GetKeyLastUsage", options, async (cut) =>
      lastUsageFrom(await this.#sdk.send(new GetKeyLastUsageCommand({ KeyId: bareKeyId(keyId) }), by(cut)), keyId),
    );
  }

  async tagResource(keyId: string, tags: readonly Tag[], options: CallOptions = {}): Promise<void> {
    await this.#call("TagResource", options, (cut) =>
      this.#sdk.send(new TagResourceCommand({ KeyId: keyId, Tags: sdkTags(tags) }), by(cut)),
    );
  }

  /** May be repeated: a second replica in a Region is refused. */
  async replicateKey(input: ReplicateKeyInput, options: CallOptions = {}): Promise<KeyMetadata> {
    const command = {
      KeyId: bareKeyId(input.keyArn),
      ReplicaRegion: input.region,
      Description: input.description,
      ...(input.policy === undefined ? {} : { Policy: input.policy }),
      ...(input.tags.length === 0 ? {} : { Tags: sdkTags(input.tags) }),
    };
    return this.#call("ReplicateKey", options, async (cut) =>
      replicaMetadataFrom(await this.#sdk.send(new ReplicateKeyCommand(command), by(cut)), input.keyArn),
    );
  }

  async updatePrimaryRegion(keyId: string, primaryRegion: string, options: CallOptions = {}): Promise<void> {
    const input = { KeyId: bareKeyId(keyId), PrimaryRegion: primaryRegion };
    await this.#call("UpdatePrimaryRegion", options, (cut) =>
      this.#sdk.send(new UpdatePrimaryRegionCommand(input), by(cut)),
    );
  }

  /** A call that may be repeated: reading, signing, or writing the same value again. */
  #call<T>(
    operation: string,
    { signal, throttledForMs, throttledWaitMs }: CallOptions,
    send: (cut: Cut) => Promise<T>,
  ): Promise<T> {
    return withRetries(send, {
      operation,
      caller: this.#caller,
      signal,
      repeatable: true,
      throttledForMs,
      throttledWaitMs,
    });
  }

  #pages<T>(
    operation: string,
    { signal, throttledForMs }: CallOptions,
    fetch: (marker: string | undefined, cut: Cut) => Promise<PageAnswer<T>>,
  ): AsyncIterable<Page<T>> {
    return pages({ operation, caller: this.#caller, signal, throttledForMs, fetch });
  }
}
