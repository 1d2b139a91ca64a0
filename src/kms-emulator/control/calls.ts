/** What `control.call` takes and gives, by operation. */
import type { KmsOperations } from "../model/kms-types.gen.ts";

/** Members that an answer may lack, by AWS's rules; all others of the top level are always there. */
type Sometimes =
  | "CiphertextForRecipient"
  | "CurrentKeyMaterialId"
  | "CustomerMasterKeySpec"
  | "DeletionDate"
  | "DestinationKeyMaterialId"
  | "EncapsulationAlgorithms"
  | "EncryptionAlgorithms"
  | "KeyAgreementAlgorithms"
  | "KeyLastUsage"
  | "KeyMaterialId"
  | "NextMarker"
  | "NextRotationDate"
  | "OnDemandRotationStartDate"
  | "PendingWindowInDays"
  | "Plaintext"
  | "ReplicaTags"
  | "RotationPeriodInDays"
  | "SigningAlgorithms"
  | "SourceKeyMaterialId"
  | "TargetKeyId";

/** Members of a key's metadata that are there whatever the key is. */
type OfEveryKey =
  | "AWSAccountId"
  | "Arn"
  | "CreationDate"
  | "CustomerMasterKeySpec"
  | "Description"
  | "Enabled"
  | "KeyId"
  | "KeyManager"
  | "KeySpec"
  | "KeyState"
  | "KeyUsage"
  | "MultiRegion"
  | "Origin";

type Always<T, Names> = { readonly [K in keyof T as K extends Names ? K : never]-?: Exclude<T[K], undefined> };
type Perhaps<T, Names> = { readonly [K in keyof T as K extends Names ? never : K]: T[K] };

/** Lists of these are as AWS fills them in. */
type Entry<T> = T extends { readonly KeyArn?: unknown } | { readonly AliasArn?: unknown }
  ? Always<T, Exclude<keyof T, "TargetKeyId" | "CreationDate" | "LastUpdatedDate">> &
      Perhaps<T, Exclude<keyof T, "TargetKeyId" | "CreationDate" | "LastUpdatedDate">>
  : T;

type Member<T> = T extends { readonly KeyId: string; readonly KeyState?: unknown }
  ? Always<T, OfEveryKey> & Perhaps<T, OfEveryKey>
  : T extends readonly (infer Item)[]
    ? readonly Entry<Item>[]
    : T;

type Answer<T> = T extends object
  ? { readonly [K in keyof T as K extends Sometimes ? never : K]-?: Member<Exclude<T[K], undefined>> } & {
      readonly [K in keyof T as K extends Sometimes ? K : never]?: T[K];
    }
  : undefined;

/** Plaintext is there wherever no recipient's attestation was sent. */
type WithPlaintext = "Decrypt" | "GenerateDataKey" | "GenerateRandom";

type KmsCalls = {
  readonly [N in keyof KmsOperations]: {
    readonly input: KmsOperations[N]["input"];
    readonly output: N extends WithPlaintext
      ? Answer<KmsOperations[N]["output"]> & { readonly Plaintext: Uint8Array }
      : Answer<KmsOperations[N]["output"]>;
  };
};

interface SessionInput {
  readonly RoleArn: string;
  readonly RoleSessionName: string;
  readonly DurationSeconds?: number;
  readonly Policy?: string;
}

interface SessionOutput {
  readonly Credentials: {
    readonly AccessKeyId: string;
    readonly SecretAccessKey: string;
    readonly SessionToken: string;
    readonly Expiration: Date;
  };
  readonly AssumedRoleUser: { readonly AssumedRoleId: string; readonly Arn: string };
}

interface KeyValue {
  readonly Key: string;
  readonly Value: string;
}

/** STS, IAM and the tagging API. */
interface OtherCalls {
  readonly GetCallerIdentity: {
    readonly input: object;
    readonly output: { readonly UserId: string; readonly Account: string; readonly Arn: string };
  };
  readonly AssumeRole: {
    readonly input: SessionInput & { readonly ExternalId?: string; readonly Tags?: readonly KeyValue[] };
    readonly output: SessionOutput;
  };
  readonly AssumeRoleWithWebIdentity: {
    readonly input: SessionInput & { readonly WebIdentityToken: string; readonly ProviderId?: string };
    readonly output: SessionOutput & { readonly SubjectFromWebIdentityToken: string };
  };
  readonly GetRole: {
    readonly input: { readonly RoleName: string };
    readonly output: {
      readonly Role: {
        readonly Arn: string;
        readonly RoleName: string;
        readonly RoleId: string;
        readonly Path: string;
      };
    };
  };
  readonly GetResources: {
    readonly input: {
      readonly PaginationToken?: string;
      readonly TagFilters?: readonly { readonly Key: string; readonly Values?: readonly string[] }[];
      readonly ResourcesPerPage?: number;
      readonly TagsPerPage?: number;
      readonly ResourceTypeFilters?: readonly string[];
      readonly ResourceARNList?: readonly string[];
    };
    readonly output: {
      readonly PaginationToken: string;
      readonly ResourceTagMappingList: readonly { readonly ResourceARN: string; readonly Tags: readonly KeyValue[] }[];
    };
  };
}

/** Input and output of every operation that the emulator offers. */
export type Calls = KmsCalls & OtherCalls;

export type OperationName = keyof Calls;
export type CallInput<N extends OperationName> = Calls[N]["input"];
export type CallOutput<N extends OperationName> = Calls[N]["output"];
