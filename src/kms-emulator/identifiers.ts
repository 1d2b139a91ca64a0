/** KMS identifiers: key ids, alias names and ARNs (docs/aws-kms-behaviour.md, "Identifiers"). */

interface Arn {
  readonly partition: string;
  readonly service: string;
  readonly region: string;
  readonly account: string;
  readonly resource: string;
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const multiRegionPattern = /^mrk-[0-9a-f]{32}$/;
const accountPattern = /^\d{12}$/;
const regionPattern = /^([a-z]+-){2,3}\d+$/;

export const isKeyId = (text: string): boolean => uuidPattern.test(text) || multiRegionPattern.test(text);

export const isAccountId = (text: string): boolean => accountPattern.test(text);

export const isRegionName = (text: string): boolean => text.length <= 32 && regionPattern.test(text);

/** Splits an ARN, or returns undefined if it has not six non-empty-enough parts. */
export function parseArn(text: string): Arn | undefined {
  const match = /^arn:([^:]+):([^:]+):([^:]*):([^:]*):(.+)$/s.exec(text);
  if (!match) return undefined;
  const [, partition = "", service = "", region = "", account = "", resource = ""] = match;
  return { partition, service, region, account, resource };
}

export function partitionOf(region: string): string {
  if (region.startsWith("cn-")) return "aws-cn";
  if (region.startsWith("us-gov-")) return "aws-us-gov";
  return "aws";
}

const kmsArn = (account: string, region: string, resource: string): string =>
  `arn:${partitionOf(region)}:kms:${region}:${account}:${resource}`;

export const keyArn = (account: string, region: string, keyId: string): string =>
  kmsArn(account, region, `key/${keyId}`);

/** `aliasName` includes its `alias/` prefix. */
export const aliasArn = (account: string, region: string, aliasName: string): string =>
  kmsArn(account, region, aliasName);
