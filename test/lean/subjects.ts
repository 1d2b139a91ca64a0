/** The operations that have a lean way, each with a call of it and a good answer. */
import { generateKeyPairSync } from "node:crypto";
import type { AwsKmsClient } from "../../src/aws/kms-client.ts";
import * as operations from "../../src/aws/lean/operations.ts";
import type { Page } from "../../src/key-manager/ports.ts";

export const keyId = "1234abcd-12ab-34cd-56ef-1234567890ab";
export const keyArn = `arn:aws:kms:us-east-2:111122223333:key/${keyId}`;

export interface Subject {
  readonly operation: string;
  /** KMS's answer. */
  readonly good: string;
  /** Whether KMS answers with no bytes at all. */
  readonly isSilent?: boolean;
  /** What the SDK sends for the last request of that call. */
  readonly command: operations.Command;
  readonly call: (kms: AwsKmsClient, signal?: AbortSignal) => Promise<unknown>;
}

const publicKey = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ type: "spki", format: "der" });

/** The first page alone: its answer may close the connection, and what becomes of the next request is chance then. */
async function firstOf<T>(pages: AsyncIterable<Page<T>>): Promise<Page<T> | undefined> {
  for await (const page of pages) return page;
  return undefined;
}

const signing = { KeyId: keyArn, Message: new Uint8Array(32).fill(7), SigningAlgorithm: "ECDSA_SHA_256" } as const;

/** As KMS writes it, dates in the notation of Java's doubles included. */
const metadata = `{"KeyMetadata":{"AWSAccountId":"111122223333","Arn":"${keyArn}","CreationDate":1.764132345678E9,"CurrentKeyMaterialId":"ab","CustomerMasterKeySpec":"ECC_NIST_P256","DeletionDate":1764732345,"Description":"SPIRE Server key: \\u00e4","Enabled":false,"KeyId":"${keyId}","KeyManager":"CUSTOMER","KeySpec":"ECC_NIST_P256","KeyState":"PendingDeletion","KeyUsage":"SIGN_VERIFY","MultiRegion":true,"MultiRegionConfiguration":{"MultiRegionKeyType":"PRIMARY","PrimaryKey":{"Arn":"${keyArn}","Region":"us-east-2"},"ReplicaKeys":[{"Arn":"${keyArn}","Region":"eu-west-1"}]},"Origin":"AWS_KMS","PendingDeletionWindowInDays":7,"SigningAlgorithms":["ECDSA_SHA_256"]}}`;

const aliases = `{"Aliases":[{"AliasArn":"arn:aws:kms:us-east-2:111122223333:alias/a","AliasName":"alias/a","CreationDate":1.764132345678E9,"LastUpdatedDate":1.764132345E9,"TargetKeyId":"${keyId}"},{"AliasArn":"arn:aws:kms:us-east-2:111122223333:alias/aws/ebs","AliasName":"alias/aws/ebs"}],"Truncated":false}`;

export const subjects: readonly Subject[] = [
  {
    operation: "Sign",
    command: operations.sign.command({ ...signing, MessageType: "DIGEST" }),
    good: JSON.stringify({ KeyId: keyArn, Signature: "AQID", SigningAlgorithm: "ECDSA_SHA_256" }),
    call: async (kms, signal) => [
      ...(await kms.sign(
        { keyArn, digest: signing.Message, signingAlgorithm: signing.SigningAlgorithm },
        { ...(signal === undefined ? {} : { signal }) },
      )),
    ],
  },
  {
    operation: "DescribeKey",
    command: operations.describeKey.command({ KeyId: keyArn }),
    good: metadata,
    call: (kms, signal) => kms.describeKey(keyArn, { signal }),
  },
  {
    operation: "GetPublicKey",
    command: operations.getPublicKey.command({ KeyId: keyArn }),
    good: JSON.stringify({
      CustomerMasterKeySpec: "ECC_NIST_P256",
      KeyId: keyArn,
      KeySpec: "ECC_NIST_P256",
      KeyUsage: "SIGN_VERIFY",
      PublicKey: publicKey.toString("base64"),
      SigningAlgorithms: ["ECDSA_SHA_256"],
    }),
    call: (kms, signal) => kms.getPublicKey(keyArn, { signal }),
  },
  {
    operation: "ListAliases",
    command: operations.listAliases.command({ KeyId: keyId, Limit: 100, Marker: undefined }),
    good: aliases,
    call: (kms, signal) => firstOf(kms.listAliases(keyId, { signal })),
  },
  {
    operation: "ListKeys",
    command: operations.listKeys.command({ Limit: 1_000, Marker: undefined }),
    good: JSON.stringify({ Keys: [{ KeyArn: keyArn, KeyId: keyId }], Truncated: true, NextMarker: "m/=" }),
    call: (kms, signal) => firstOf(kms.listKeys({ signal })),
  },
  {
    operation: "UpdateAlias",
    command: operations.updateAlias.command({ AliasName: "alias/SPIRE_SERVER/\u00e4", TargetKeyId: keyId }),
    good: "",
    isSilent: true,
    call: (kms, signal) => kms.updateAlias("alias/SPIRE_SERVER/\u00e4", keyId, { signal }),
  },
];
