/** DescribeKey of what may not be there. */
import { type CallOptions, isKmsError, type KeyMetadata, type KmsClient } from "../ports.ts";

/**
 * @param keyId key id, key ARN or alias name; an alias gives the key that it points to
 * @returns undefined when there is no such key or alias
 * @throws KmsError for any other failure
 */
export async function findKey(
  kms: Pick<KmsClient, "describeKey">,
  keyId: string,
  options: CallOptions = {},
): Promise<KeyMetadata | undefined> {
  try {
    return await kms.describeKey(keyId, options);
  } catch (error) {
    if (isKmsError(error, "NOT_FOUND")) return undefined;
    throw error;
  }
}
