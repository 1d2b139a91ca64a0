/** A key as KMS shows it at this moment, before it is scheduled for deletion. */
import type { KeyFacts } from "../deletions.ts";
import { findKey } from "../keys/find-key.ts";
import { type AliasListEntry, isKmsError, type KmsClient } from "../ports.ts";

/**
 * DescribeKey and ListAliases of one key.
 *
 * @returns undefined when there is no such key
 * @throws KmsError: without both answers nothing is known
 */
export async function keyFactsOf(
  keyArn: string,
  kms: Pick<KmsClient, "describeKey" | "listAliases">,
  signal: AbortSignal,
): Promise<KeyFacts | undefined> {
  const key = await findKey(kms, keyArn, { signal });
  if (key === undefined) return undefined;
  const aliases: AliasListEntry[] = [];
  let now: Date | undefined;
  try {
    for await (const page of kms.listAliases(key.keyId, { signal })) {
      aliases.push(...page.items);
      now = page.serverTime ?? now;
    }
  } catch (error) {
    if (isKmsError(error, "NOT_FOUND")) return undefined;
    throw error;
  }
  return { key, aliases, now };
}
