/** DescribeKey for scans, over keys of which some are gone and some are none of our business. */
import { explain } from "../errors.ts";
import { isKmsError, type KeyMetadata, type KmsClient, type Logger } from "../ports.ts";

/** What is to be known of a key; `denied`: we may not describe it. */
export type Description = KeyMetadata | "gone" | "denied";

export type DescribeKey = (keyId: string, signal: AbortSignal) => Promise<Description>;

/** A key that may not be described is mentioned once, and all of them in one line: users had one error a key, at every scan. */
export function keyDescriber(kms: KmsClient, log: Logger): DescribeKey {
  let isMentioned = false;
  return async (keyId, signal) => {
    try {
      return await kms.describeKey(keyId, { signal });
    } catch (error) {
      if (isKmsError(error, "NOT_FOUND")) return "gone";
      if (!isKmsError(error, "ACCESS_DENIED")) throw error;
      if (!isMentioned) {
        log.info("Keys that may not be described are taken for somebody else's, not pruned and not mentioned again", {
          key_id: keyId,
          reason: explain(error),
        });
      }
      isMentioned = true;
      return "denied";
    }
  };
}
