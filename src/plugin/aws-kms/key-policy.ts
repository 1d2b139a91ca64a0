/** The key policy of new keys: the operator's file, or the default that binds keys to the server's own role. */
import { KeyManagerError } from "../../key-manager/errors.ts";
import type { RoleInAccount } from "../../key-manager/ports.ts";
import { type SettingFiles, systemProblem } from "../settings/setting-files.ts";

/** KMS's limit on a key policy document, in bytes. */
const maxPolicyBytes = 32_768;
/** What is longer is no key policy, whatever it is. */
const maxFileBytes = 1_048_576;

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
 * @returns the file's text as it stands, but for a byte order mark, which KMS refuses
 * @throws KeyManagerError `FAILED_PRECONDITION` when it cannot be read; `INVALID_ARGUMENT` when it is no JSON object or too long for KMS
 */
export async function readKeyPolicyFile(path: string, files: SettingFiles): Promise<string> {
  const file = {
    setting: "key_policy_file",
    path,
    maxBytes: maxFileBytes,
    advice: "it must name a JSON file that the SPIRE Server's user can read",
  };
  const text = await files.read(file);
  if (text === undefined) throw systemProblem(file, "read", Object.assign(new Error("ENOENT"), { code: "ENOENT" }));
  const bytes = Buffer.byteLength(text);
  if (bytes > maxPolicyBytes) {
    throw new KeyManagerError(
      "INVALID_ARGUMENT",
      `key_policy_file ${path} has ${bytes} bytes, KMS allows ${maxPolicyBytes}; shorten the policy`,
    );
  }
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    // The parser's message quotes the file; where it fails is enough.
    throw new KeyManagerError(
      "INVALID_ARGUMENT",
      `key_policy_file ${path} is not valid JSON; it must hold a key policy document`,
      { cause },
    );
  }
  if (typeof document !== "object" || document === null || Array.isArray(document)) {
    throw new KeyManagerError(
      "INVALID_ARGUMENT",
      `key_policy_file ${path} must hold a JSON object (a key policy document)`,
    );
  }
  return text;
}
