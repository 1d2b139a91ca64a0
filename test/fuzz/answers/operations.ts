/** Every AWS operation in use: a call of it, a right answer, and which of the answer's members it can do without. */
import type { AwsClients } from "../../../src/aws/clients.ts";
import type { Page } from "../../../src/key-manager/ports.ts";

const keyId = "1234abcd-12ab-34cd-56ef-1234567890ab";
const keyArn = `arn:aws:kms:us-east-2:111122223333:key/${keyId}`;
const aliasName = "alias/SPIRE_SERVER/example_org/server/x509-CA-A";
const seconds = 1_780_000_000;

export interface JsonOperation {
  readonly title: string;
  /** May have changed something at AWS. */
  readonly isMutation: boolean;
  /** Made again when its outcome is unknown. */
  readonly isRepeatable: boolean;
  /** A right answer; undefined where the operation answers nothing. */
  readonly answer: Readonly<Record<string, unknown>> | undefined;
  /** Paths of members that AWS may leave out. */
  readonly optional: readonly string[];
  /** Whether each call is to have clients that have never made one. */
  readonly isFresh?: boolean;
  readonly call: (clients: AwsClients) => Promise<unknown>;
}

const keyMetadata = {
  AWSAccountId: "111122223333",
  Arn: keyArn,
  CreationDate: seconds,
  CustomerMasterKeySpec: "ECC_NIST_P256",
  DeletionDate: seconds,
  Description: "SPIRE_SERVER/example_org",
  Enabled: true,
  KeyId: keyId,
  KeyManager: "CUSTOMER",
  KeySpec: "ECC_NIST_P256",
  KeyState: "Enabled",
  KeyUsage: "SIGN_VERIFY",
  MultiRegion: false,
  Origin: "AWS_KMS",
  SigningAlgorithms: ["ECDSA_SHA_256"],
};
const optionalMetadata = [
  "CreationDate",
  "DeletionDate",
  "Description",
  "Origin",
  "KeySpec",
  "CustomerMasterKeySpec",
].map((name) => `KeyMetadata.${name}`);

async function allOf<T>(pages: AsyncIterable<Page<T>>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const { items } of pages) found.push(...items);
  return found;
}

const sign: Pick<JsonOperation, "isMutation" | "isRepeatable" | "answer" | "optional" | "call"> = {
  isMutation: false,
  isRepeatable: true,
  answer: {
    KeyId: keyArn,
    Signature: Buffer.from("a signature").toString("base64"),
    SigningAlgorithm: "ECDSA_SHA_256",
  },
  optional: ["KeyId"],
  call: ({ kms }) => kms.sign({ keyArn, digest: new Uint8Array(32), signingAlgorithm: "ECDSA_SHA_256" }),
};
const writing = { isMutation: true, isRepeatable: true, answer: undefined, optional: [] } as const;
const reading = { isMutation: false, isRepeatable: true } as const;

export const jsonOperations: readonly JsonOperation[] = [
  {
    title: "CreateKey",
    isMutation: true,
    isRepeatable: false,
    answer: { KeyMetadata: keyMetadata },
    optional: optionalMetadata,
    call: ({ kms }) =>
      kms.createKey({ keySpec: "ECC_NIST_P256", description: "", policy: undefined, tags: [{ key: "a", value: "b" }] }),
  },
  {
    ...reading,
    title: "DescribeKey",
    answer: { KeyMetadata: keyMetadata },
    optional: optionalMetadata,
    call: ({ kms }) => kms.describeKey(keyArn),
  },
  {
    ...reading,
    title: "GetPublicKey",
    answer: { KeyId: keyArn, PublicKey: "AAECAw==", KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" },
    optional: ["KeySpec"],
    call: ({ kms }) => kms.getPublicKey(keyArn),
  },
  { ...sign, title: "Sign (lean)" },
  { ...sign, title: "Sign (SDK)", isFresh: true },
  {
    ...reading,
    title: "ListAliases",
    answer: {
      Aliases: [
        {
          AliasName: aliasName,
          AliasArn: `arn:aws:kms:us-east-2:111122223333:${aliasName}`,
          TargetKeyId: keyId,
          CreationDate: seconds,
          LastUpdatedDate: seconds,
        },
      ],
      Truncated: false,
    },
    optional: [
      "Aliases.0.AliasArn",
      "Aliases.0.TargetKeyId",
      "Aliases.0.CreationDate",
      "Aliases.0.LastUpdatedDate",
      "Truncated",
    ],
    call: ({ kms }) => allOf(kms.listAliases()),
  },
  {
    ...reading,
    title: "ListKeys",
    answer: { Keys: [{ KeyId: keyId, KeyArn: keyArn }], Truncated: false },
    optional: ["Truncated"],
    call: ({ kms }) => allOf(kms.listKeys()),
  },
  { ...writing, title: "CreateAlias", call: ({ kms }) => kms.createAlias(aliasName, keyArn) },
  { ...writing, title: "UpdateAlias", call: ({ kms }) => kms.updateAlias(aliasName, keyArn) },
  { ...writing, title: "DeleteAlias", call: ({ kms }) => kms.deleteAlias(aliasName) },
  { ...writing, title: "TagResource", call: ({ kms }) => kms.tagResource(keyArn, [{ key: "a", value: "b" }]) },
  {
    title: "ScheduleKeyDeletion",
    isMutation: true,
    isRepeatable: true,
    answer: { KeyId: keyArn, DeletionDate: seconds, KeyState: "PendingDeletion", PendingWindowInDays: 7 },
    // Of a key with replicas.
    optional: ["DeletionDate"],
    call: ({ kms }) => kms.scheduleKeyDeletion(keyArn, 7),
  },
  {
    ...reading,
    title: "GetResources",
    answer: {
      PaginationToken: "",
      ResourceTagMappingList: [{ ResourceARN: keyArn, Tags: [{ Key: "spire-active", Value: "true" }] }],
    },
    optional: ["PaginationToken", "ResourceTagMappingList.0.Tags.0.Value"],
    call: ({ tagging }) => allOf(tagging.getResources([{ key: "spire-active", value: "true" }])),
  },
];

/** Of AWS's Query protocol, which answers in XML. */
export interface XmlOperation {
  readonly title: string;
  readonly answer: (members: Readonly<Record<string, string>>) => string;
  readonly members: Readonly<Record<string, string>>;
  readonly call: (clients: AwsClients) => Promise<unknown>;
}

const xml = (members: Readonly<Record<string, string>>): string =>
  Object.entries(members)
    .map(([name, value]) => `<${name}>${value}</${name}>`)
    .join("");

const role = { partition: "aws", account: "111122223333", roleName: "spire-server" };

export const xmlOperations: readonly XmlOperation[] = [
  {
    title: "GetCallerIdentity",
    members: { Account: "111122223333", Arn: "arn:aws:sts::111122223333:assumed-role/spire-server/i-0abc" },
    answer: (members) => xml({ GetCallerIdentityResponse: xml({ GetCallerIdentityResult: xml(members) }) }),
    call: ({ sts }) => sts.getCallerIdentity(),
  },
  {
    title: "GetRole",
    members: { Arn: "arn:aws:iam::111122223333:role/infra/spire-server" },
    answer: (members) => xml({ GetRoleResponse: xml({ GetRoleResult: xml({ Role: xml(members) }) }) }),
    call: ({ iam }) => iam.getRoleArn(role),
  },
];
