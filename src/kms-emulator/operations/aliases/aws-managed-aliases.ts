/** The aliases under `alias/aws/` that every account has, and the keys that AWS services make behind them. */
import { type KeyMaterial, storeMaterial } from "../../crypto/key-material.ts";
import type { OperationContext } from "../../framework/context.ts";
import type { AliasRecord, KeyRecord } from "../../state/records.ts";

/**
 * Aliases that every account lists for AWS services, sorted. They have no key until the service, or a DescribeKey,
 * first uses them.
 */
export const awsManagedAliases: readonly string[] = [
  "alias/aws/acm",
  "alias/aws/dynamodb",
  "alias/aws/ebs",
  "alias/aws/elasticfilesystem",
  "alias/aws/lambda",
  "alias/aws/rds",
  "alias/aws/s3",
  "alias/aws/secretsmanager",
  "alias/aws/sns",
  "alias/aws/sqs",
  "alias/aws/ssm",
];

const serviceOf = (alias: string): string => alias.slice("alias/aws/".length);

/** Lets the account's principals look at the key; only the service may use it. */
function policyOf(account: string, service: string): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Id: `auto-${service}-1`,
    Statement: [
      {
        Sid: "Allow direct access to key metadata to the account",
        Effect: "Allow",
        Principal: { AWS: `arn:aws:iam::${account}:root` },
        Action: ["kms:Describe*", "kms:Get*", "kms:List*"],
        Resource: "*",
      },
    ],
  });
}

/** Makes the AWS-managed key behind an alias that has none yet, as DescribeKey does on AWS. */
export async function createManagedKey(context: OperationContext, alias: string): Promise<void> {
  const { account, region } = context;
  const service = serviceOf(alias);
  const material: KeyMaterial = await context.materials.create("SYMMETRIC_DEFAULT");
  if (context.view.currentAlias(alias)) return;
  const createdAtMs = context.clock();
  const key: KeyRecord = {
    account,
    region,
    keyId: context.random.uuid(),
    createdAtMs,
    description: `Default key of ${service}`,
    spec: "SYMMETRIC_DEFAULT",
    usage: "ENCRYPT_DECRYPT",
    keyManager: "AWS",
    state: "Enabled",
    isMultiRegion: false,
    materialId: material.id,
    policy: policyOf(account, service),
    tags: [],
    wasTagged: false,
  };
  const record: AliasRecord = {
    account,
    region,
    name: alias,
    keyId: key.keyId,
    createdAtMs,
    updatedAtMs: createdAtMs,
  };
  context.commit(
    { kind: "put-material", material: storeMaterial(material) },
    { kind: "put-key", key },
    { kind: "put-alias", alias: record },
  );
}

/** True for the name or ARN of an AWS-managed alias of this account and Region that has no key yet. */
export function unboundManagedAlias(context: OperationContext, text: string): string | undefined {
  if (!context.hasAwsManagedAliases) return undefined;
  const ownPrefix = `:kms:${context.region}:${context.account}:`;
  const at = text.startsWith("arn:") ? text.indexOf(ownPrefix) : -1;
  const name = at >= 0 ? text.slice(at + ownPrefix.length) : text;
  return awsManagedAliases.includes(name) && !context.view.currentAlias(name) ? name : undefined;
}
