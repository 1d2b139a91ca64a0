/** The policy of a key that was made without one, and the text that GetKeyPolicy answers with. */
import { partitionOf } from "../identifiers.ts";
import type { KeyRecord } from "../state/records.ts";

/** The policy that AWS gives a key made without one: full delegation to the account's IAM policies. */
function defaultKeyPolicy(account: string, region: string): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Id: "key-default-1",
    Statement: [
      {
        Sid: "Enable IAM User Permissions",
        Effect: "Allow",
        Principal: { AWS: `arn:${partitionOf(region)}:iam::${account}:root` },
        Action: "kms:*",
        Resource: "*",
      },
    ],
  });
}

/** The key's policy as stored. */
export const storedPolicyOf = (key: KeyRecord): string => key.policy ?? defaultKeyPolicy(key.account, key.region);

/** The key's policy in the spaced layout that GetKeyPolicy answers with: AWS does not return the text as it was sent. */
export function policyTextOf(key: KeyRecord): string {
  const document: unknown = JSON.parse(storedPolicyOf(key));
  return JSON.stringify(document, null, 2).replace(/^(\s*"(?:[^"\\]|\\.)*"): /gm, "$1 : ");
}
