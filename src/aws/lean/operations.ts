/** The operations that are sent without the SDK's middleware: those that are many, and change nothing but where an alias points. */
import {
  DescribeKeyCommand,
  GetPublicKeyCommand,
  ListAliasesCommand,
  ListKeysCommand,
  SignCommand,
  UpdateAliasCommand,
} from "@aws-sdk/client-kms";
import type { SigningAlgorithmSpec } from "../../key-manager/ports.ts";
import { bytes, count, date, flag, list, type MembersReader, members, nothing, text } from "./plain-answer.ts";

/** A command of the SDK's, any of those below. */
export type Command =
  | DescribeKeyCommand
  | GetPublicKeyCommand
  | ListAliasesCommand
  | ListKeysCommand
  | SignCommand
  | UpdateAliasCommand;

export interface Operation<Members> {
  readonly name: string;
  /** For the SDK. */
  readonly command: (members: Members) => Command;
  /** As the SDK writes it: members in this order, those that are undefined left out. */
  readonly body: (members: Members) => string;
  readonly answer: MembersReader;
}

export interface SignMembers {
  readonly KeyId: string;
  readonly Message: Uint8Array;
  readonly SigningAlgorithm: SigningAlgorithmSpec;
  readonly MessageType: "DIGEST";
}

export const sign: Operation<SignMembers> = {
  name: "Sign",
  command: (input) => new SignCommand(input),
  body({ KeyId, Message, SigningAlgorithm, MessageType }) {
    const digest = Buffer.from(Message.buffer, Message.byteOffset, Message.byteLength).toString("base64");
    const [keyId, algorithm, type] = [KeyId, SigningAlgorithm, MessageType].map((word) => JSON.stringify(word));
    return `{"KeyId":${keyId},"Message":"${digest}","SigningAlgorithm":${algorithm},"MessageType":${type}}`;
  },
  answer: members({ KeyId: text, Signature: bytes, SigningAlgorithm: text }),
};

export interface KeyMembers {
  readonly KeyId: string;
}

const keyBody = ({ KeyId }: KeyMembers): string => JSON.stringify({ KeyId });

export const regionOfKey = members({ Arn: text, Region: text });

export const multiRegion = members({
  MultiRegionKeyType: text,
  PrimaryKey: regionOfKey,
  ReplicaKeys: list(regionOfKey),
});

export const xksKey = members({ Id: text });

export const keyMetadata = members({
  KeyId: text,
  AWSAccountId: text,
  Arn: text,
  CreationDate: date,
  Enabled: flag,
  Description: text,
  KeyUsage: text,
  KeyState: text,
  DeletionDate: date,
  ValidTo: date,
  Origin: text,
  CustomKeyStoreId: text,
  CloudHsmClusterId: text,
  ExpirationModel: text,
  KeyManager: text,
  CustomerMasterKeySpec: text,
  KeySpec: text,
  EncryptionAlgorithms: list(text),
  SigningAlgorithms: list(text),
  KeyAgreementAlgorithms: list(text),
  EncapsulationAlgorithms: list(text),
  MultiRegion: flag,
  MultiRegionConfiguration: multiRegion,
  PendingDeletionWindowInDays: count,
  MacAlgorithms: list(text),
  XksKeyConfiguration: xksKey,
  CurrentKeyMaterialId: text,
});

export const describeKey: Operation<KeyMembers> = {
  name: "DescribeKey",
  command: (input) => new DescribeKeyCommand(input),
  body: keyBody,
  answer: members({ KeyMetadata: keyMetadata }),
};

export const getPublicKey: Operation<KeyMembers> = {
  name: "GetPublicKey",
  command: (input) => new GetPublicKeyCommand(input),
  body: keyBody,
  answer: members({
    KeyId: text,
    PublicKey: bytes,
    CustomerMasterKeySpec: text,
    KeySpec: text,
    KeyUsage: text,
    EncryptionAlgorithms: list(text),
    SigningAlgorithms: list(text),
    KeyAgreementAlgorithms: list(text),
    EncapsulationAlgorithms: list(text),
  }),
};

export interface PageMembers {
  readonly Limit: number;
  readonly Marker: string | undefined;
}

export interface AliasPageMembers extends PageMembers {
  readonly KeyId: string | undefined;
}

export const alias = members({
  AliasName: text,
  AliasArn: text,
  TargetKeyId: text,
  CreationDate: date,
  LastUpdatedDate: date,
});

export const listAliases: Operation<AliasPageMembers> = {
  name: "ListAliases",
  command: (input) => new ListAliasesCommand(input),
  body: ({ KeyId, Limit, Marker }) => JSON.stringify({ KeyId, Limit, Marker }),
  answer: members({ Aliases: list(alias), NextMarker: text, Truncated: flag }),
};

export const key = members({ KeyId: text, KeyArn: text });

export const listKeys: Operation<PageMembers> = {
  name: "ListKeys",
  command: (input) => new ListKeysCommand(input),
  body: ({ Limit, Marker }) => JSON.stringify({ Limit, Marker }),
  answer: members({ Keys: list(key), NextMarker: text, Truncated: flag }),
};

export interface AliasMembers {
  readonly AliasName: string;
  readonly TargetKeyId: string;
}

export const updateAlias: Operation<AliasMembers> = {
  name: "UpdateAlias",
  command: (input) => new UpdateAliasCommand(input),
  body: ({ AliasName, TargetKeyId }) => JSON.stringify({ AliasName, TargetKeyId }),
  answer: nothing,
};
