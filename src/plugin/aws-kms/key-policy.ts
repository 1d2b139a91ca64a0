/** The key policy of new keys: the operator's file, or the default that binds keys to the server's own role. */
import { readFile } from "node:fs/promises";
import { KeyManagerError } from "../../key-manager/errors.ts";
import type { RoleInAccount } from "../../key-manager/ports.ts";

/** KMS's limit on a key policy document, in bytes. */
const maxPolicyBytes = 32_768;

/**
 * The default key policy: the server's role may do everything with the key, the account may look at it.
 *
 * @param roleArn with the role's path, which a session's ARN does not show
 */
export function defaultKeyPolicy({ partition, account }: RoleInAccount, roleArn: string): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "Allow full access to the SPIRE Server role",
        Effect: "Allow",
        Principal: { AWS: roleArn },
        Action: "kms:*",
        Resource: "*",
      },
      {
        Sid: "Allow KMS console to display the key and policy",
        Effect: "Allow",
        Principal: { AWS: `arn:${partition}:iam::${account}:root` },
        Action: ["kms:Describe*", "kms:List*", "kms:Get*"],
        Resource: "*",
      },
    ],
  });
}

/**
 * Reads `key_policy_file`.
 *
 * @returns the file's text, as it stands
 * @throws KeyManagerError `FailedPrecondition` when it cannot be read; `InvalidArgument` when it is no JSON object or too long for KMS
 */
export async function readKeyPolicyFile(path: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    const why = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    throw new KeyManagerError(
      "FAILED_PRECONDITION",
      `key_policy_file ${path} cannot be read: ${why}; it must name a JSON file that the SPIRE Server's user can read`,
      { cause },
    );
  }
  const bytes = Buffer.byteLength(text);
  if (bytes > maxPolicyBytes) {
    throw new KeyManagerError(
      "INVALID_ARGUMENT",
      `key_policy_file ${path} has ${bytes} bytes, KMS allows ${maxPolicyBytes}`,
    );
  }
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    // The parser's message quotes the file; where it fails is enough.
    throw new KeyManagerError("INVALID_ARGUMENT", `key_policy_file ${path} is not valid JSON`, { cause });
  }
  if (typeof document !== "object" || document === null || Array.isArray(document)) {
    throw new KeyManagerError(
      "INVALID_ARGUMENT",
      `key_policy_file ${path} must hold a JSON object (a key policy document)`,
    );
  }
  return text;
}
