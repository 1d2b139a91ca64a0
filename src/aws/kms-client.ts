/** The KmsClient port over AWS SDK v3: requests out, answers checked once and turned into the domain's shapes. */
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  GetPublicKeyCommand,
  type KMSClient,
  ListAliasesCommand,
  ListKeysCommand,
  ScheduleKeyDeletionCommand,
  type AliasListEntry as SdkAlias,
  type KeyMetadata as SdkKeyMetadata,
  type KeySpec as SdkKeySpec,
  SignCommand,
  TagResourceCommand,
  UpdateAliasCommand,
} from "@aws-sdk/client-kms";
import {
  type AliasListEntry,
  type CallOptions,
  type CreateKeyInput,
  type KeyListEntry,
  type KeyMetadata,
  type KmsClient,
  KmsError,
  type Page,
  type PublicKeyOutput,
  type SignInput,
  type Tag,
} from "../key-manager/ports.ts";
import { CallLimiter } from "./call-limiter.ts";
import { type PageAnswer, pages } from "./pages.ts";
import { abortBy, type Caller, withRetries } from "./retry.ts";

const aliasesPerPage = 100;
const keysPerPage = 1_000;
/** Under way: ten times what KMS's quota needs at its usual latency. Waiting: about a second's worth. */
const signLimits = { maxUnderWay: 128, maxWaiting: 1_024 };
/** CreateKey is never repeated, and a key whose ARN did not arrive is an orphan: it gets most of SPIRE's 30 s. */
const createKeyTimeoutMs = 25_000;

/** An answer without what every answer of the operation has: from something that is not KMS. */
function malformed(operation: string, missing: string): KmsError {
  return new KmsError(`the answer has no ${missing}`, {
    code: "Unavailable",
    operation,
    awsName: "MalformedResponse",
    outcomeUnknown: true,
  });
}

function required<T>(value: T | undefined, operation: string, name: string): T {
  if (value === undefined || value === null || value === "") throw malformed(operation, name);
  return value;
}

function keyMetadataFrom(operation: string, metadata: SdkKeyMetadata | undefined): KeyMetadata {
  const { KeyId, Arn, Description, KeySpec, CustomerMasterKeySpec, KeyUsage, KeyState, CreationDate, DeletionDate } =
    required(metadata, operation, "KeyMetadata");
  return {
    keyId: required(KeyId, operation, "KeyMetadata.KeyId"),
    arn: required(Arn, operation, "KeyMetadata.Arn"),
    description: Description ?? "",
    keySpec: required(KeySpec ?? CustomerMasterKeySpec, operation, "KeyMetadata.KeySpec"),
    keyUsage: required(KeyUsage, operation, "KeyMetadata.KeyUsage"),
    keyState: required(KeyState, operation, "KeyMetadata.KeyState"),
    creationDate: CreationDate,
    deletionDate: DeletionDate,
  };
}

function aliasFrom(alias: SdkAlias): AliasListEntry[] {
  if (alias.AliasName === undefined) return [];
  return [
    {
      aliasName: alias.AliasName,
      aliasArn: alias.AliasArn,
      targetKeyId: alias.TargetKeyId,
      creationDate: alias.CreationDate,
      lastUpdatedDate: alias.LastUpdatedDate,
    },
  ];
}

/** KMS takes an id as well as an ARN; moto takes only the id for what changes a key's state, and the key is in our own account. */
const bareKeyId = (keyId: string): string => keyId.replace(/^arn:[^/]*:key\//, "");

const sdkTags = (tags: readonly Tag[]) => tags.map(({ key, value }) => ({ TagKey: key, TagValue: value }));

export class AwsKmsClient implements KmsClient {
  readonly #sdk: KMSClient;
  readonly #caller: Caller;
  /** KMS has one quota for signatures with RSA keys and one for those with EC keys. */
  readonly #signingLimiters: { readonly rsa: CallLimiter; readonly ec: CallLimiter };
  #serverTime: Date | undefined;

  /** @param sdk a client that makes no retries of its own (`maxAttempts: 1`) */
  constructor(sdk: KMSClient, caller: Caller) {
    this.#sdk = sdk;
    this.#caller = caller;
    const limiter = () => new CallLimiter(caller.clock, signLimits);
    this.#signingLimiters = { rsa: limiter(), ec: limiter() };
    this.#rememberServerTime();
  }

  async createKey(input: CreateKeyInput, options: CallOptions = {}): Promise<KeyMetadata> {
    const command = {
      // The domain asks for the specs of SPIRE's key types only.
      KeySpec: input.keySpec as SdkKeySpec,
      KeyUsage: "SIGN_VERIFY",
      Description: input.description,
      ...(input.policy === undefined ? {} : { Policy: input.policy }),
      ...(input.tags.length === 0 ? {} : { Tags: sdkTags(input.tags) }),
    } as const;
    const sendOptions = { ...abortBy(options.signal), requestTimeout: createKeyTimeoutMs };
    const output = await withRetries(() => this.#sdk.send(new CreateKeyCommand(command), sendOptions), {
      operation: "CreateKey",
      caller: this.#caller,
      signal: options.signal,
      repeatable: false,
    });
    return keyMetadataFrom("CreateKey", output.KeyMetadata);
  }

  async describeKey(keyId: string, options: CallOptions = {}): Promise<KeyMetadata> {
    const output = await this.#call("DescribeKey", options, (abort) =>
      this.#sdk.send(new DescribeKeyCommand({ KeyId: keyId }), abort),
    );
    return keyMetadataFrom("DescribeKey", output.KeyMetadata);
  }

  async getPublicKey(keyId: string, options: CallOptions = {}): Promise<PublicKeyOutput> {
    const output = await this.#call("GetPublicKey", options, (abort) =>
      this.#sdk.send(new GetPublicKeyCommand({ KeyId: keyId }), abort),
    );
    return {
      keyArn: required(output.KeyId, "GetPublicKey", "KeyId"),
      keySpec: output.KeySpec ?? output.CustomerMasterKeySpec,
      pkixData: required(output.PublicKey, "GetPublicKey", "PublicKey"),
    };
  }

  async sign(input: SignInput, { signal }: CallOptions = {}): Promise<Uint8Array> {
    const command = {
      KeyId: input.keyArn,
      Message: input.digest,
      MessageType: "DIGEST",
      SigningAlgorithm: input.signingAlgorithm,
    } as const;
    const output = await withRetries(() => this.#sdk.send(new SignCommand(command), abortBy(signal)), {
      operation: "Sign",
      caller: this.#caller,
      signal,
      repeatable: true,
      limiter: this.#signingLimiters[input.signingAlgorithm.startsWith("ECDSA") ? "ec" : "rsa"],
    });
    return required(output.Signature, "Sign", "Signature");
  }

  listAliases(keyId?: string, options: CallOptions = {}): AsyncIterable<Page<AliasListEntry>> {
    return this.#pages("ListAliases", options, async (Marker, abort) => {
      const input = { KeyId: keyId, Marker, Limit: aliasesPerPage };
      const output = await this.#sdk.send(new ListAliasesCommand(input), abort);
      return { items: (output.Aliases ?? []).flatMap(aliasFrom), next: output.NextMarker };
    });
  }

  listKeys(options: CallOptions = {}): AsyncIterable<Page<KeyListEntry>> {
    return this.#pages("ListKeys", options, async (Marker, abort) => {
      const output = await this.#sdk.send(new ListKeysCommand({ Marker, Limit: keysPerPage }), abort);
      const items = (output.Keys ?? []).flatMap(({ KeyId, KeyArn }) =>
        KeyId === undefined || KeyArn === undefined ? [] : [{ keyId: KeyId, keyArn: KeyArn }],
      );
      return { items, next: output.NextMarker };
    });
  }

  async createAlias(aliasName: string, keyId: string, options: CallOptions = {}): Promise<void> {
    await this.#call("CreateAlias", options, (abort) =>
      this.#sdk.send(new CreateAliasCommand({ AliasName: aliasName, TargetKeyId: keyId }), abort),
    );
  }

  async updateAlias(aliasName: string, keyId: string, options: CallOptions = {}): Promise<void> {
    await this.#call("UpdateAlias", options, (abort) =>
      this.#sdk.send(new UpdateAliasCommand({ AliasName: aliasName, TargetKeyId: keyId }), abort),
    );
  }

  async deleteAlias(aliasName: string, options: CallOptions = {}): Promise<void> {
    await this.#call("DeleteAlias", options, (abort) =>
      this.#sdk.send(new DeleteAliasCommand({ AliasName: aliasName }), abort),
    );
  }

  async scheduleKeyDeletion(
    keyId: string,
    pendingWindowInDays: number,
    options: CallOptions = {},
  ): Promise<Date | undefined> {
    const output = await this.#call("ScheduleKeyDeletion", options, (abort) =>
      this.#sdk.send(
        new ScheduleKeyDeletionCommand({ KeyId: bareKeyId(keyId), PendingWindowInDays: pendingWindowInDays }),
        abort,
      ),
    );
    return output.DeletionDate;
  }

  async tagResource(keyId: string, tags: readonly Tag[], options: CallOptions = {}): Promise<void> {
    await this.#call("TagResource", options, (abort) =>
      this.#sdk.send(new TagResourceCommand({ KeyId: keyId, Tags: sdkTags(tags) }), abort),
    );
  }

  /** A call that may be repeated: reading, signing, or writing the same value again. */
  #call<T>(
    operation: string,
    { signal }: CallOptions,
    send: (abort: { abortSignal?: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    return withRetries(() => send(abortBy(signal)), {
      operation,
      caller: this.#caller,
      signal,
      repeatable: true,
    });
  }

  #pages<T>(
    operation: string,
    { signal }: CallOptions,
    fetch: (marker: string | undefined, abort: { abortSignal?: AbortSignal }) => Promise<PageAnswer<T>>,
  ): AsyncIterable<Page<T>> {
    return pages({ operation, caller: this.#caller, signal, fetch, serverTime: () => this.#serverTime });
  }

  /** Ages are told by KMS's clock, which every answer carries. */
  #rememberServerTime(): void {
    this.#sdk.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        const headers: unknown = Reflect.get(Object(result.response), "headers");
        const date: unknown = Reflect.get(Object(headers), "date");
        const time = typeof date === "string" ? Date.parse(date) : Number.NaN;
        if (!Number.isNaN(time)) this.#serverTime = new Date(time);
        return result;
      },
      { step: "deserialize", name: "rememberServerTime" },
    );
  }
}
