/** DescribeKey for scans, over keys of which some are deleted and some are foreign. */
import { explain } from "../../errors.ts";
import { isKmsError, type KeyMetadata, type KmsClient, type Logger } from "../../ports.ts";

/** What is to be known of a key, or why it cannot be known. */
export type Description = KeyMetadata | "NOT_FOUND" | "ACCESS_DENIED";

export type DescribeKey = (keyId: string, signal: AbortSignal) => Promise<Description>;

/** A key that may not be described is mentioned once, and all of them in one line: users had one error a key, at every scan. */
export function keyDescriber(kms: KmsClient, log: Logger): DescribeKey {
  let isMentioned = false;
  return async (keyId, signal) => {
    try {
      return await kms.describeKey(keyId, { signal });
    } catch (error) {
      if (isKmsError(error, "NOT_FOUND")) return "NOT_FOUND";
      if (!isKmsError(error, "ACCESS_DENIED")) throw error;
      if (!isMentioned) {
        log.info("Keys that may not be described are taken for foreign ones, not pruned and not mentioned again", {
          key_id: keyId,
          reason: explain(error),
        });
      }
      isMentioned = true;
      return "ACCESS_DENIED";
    }
  };
}
