/** What tag mode adds to the making and the retiring of keys. */
import { KeyManagerError, messageOf } from "./errors.ts";
import { keyTagProblems } from "./key-tags.ts";
import { type Clock, isKmsError, type KmsClient, type Logger, type Tag } from "./ports.ts";
import { activeTag, spireTags, type TagIdentity, tagNames } from "./spire-tags.ts";

export interface TaggingOptions {
  readonly kms: KmsClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly keyTags: readonly Tag[];
  /** Undefined: keys carry the operator's tags only. */
  readonly identity: TagIdentity | undefined;
}

/** The two hooks that key generation has for tags. */
export function tagHooks({ kms, clock, log, keyTags, identity }: TaggingOptions) {
  return {
    tagsFor(keyId: string): readonly Tag[] {
      if (identity === undefined) return keyTags;
      // Looked at as a value: its own name is reserved.
      const [problem] = keyTagProblems([{ key: "id", value: keyId }]);
      if (problem !== undefined) {
        throw new KeyManagerError("InvalidArgument", `key id does not fit into tag ${tagNames.keyId}: ${problem}`);
      }
      return [...keyTags, ...spireTags(identity, keyId, clock.now())];
    },
    async retire(keyArn: string): Promise<void> {
      if (identity !== undefined) await markInactive(keyArn, kms, log);
    },
  };
}

/** `spire-active=false`, as far as KMS lets us. Never rejects: a key pending deletion is not taken for a usable one anyway. */
export async function markInactive(keyArn: string, kms: KmsClient, log: Logger): Promise<void> {
  try {
    await kms.tagResource(keyArn, [activeTag(false)]);
  } catch (error) {
    if (isKmsError(error, "NotFound", "InvalidState")) return;
    log.warn("Failed to mark a key inactive", { key_arn: keyArn, reason: messageOf(error) });
  }
}

/** Brings the operator's tags onto keys that exist already; what fails is told and changes nothing else. */
export async function retagKeys(
  keyArns: readonly string[],
  { kms, log, keyTags }: Pick<TaggingOptions, "kms" | "log" | "keyTags">,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (keyTags.length === 0) return;
  for (const keyArn of keyArns) {
    try {
      await kms.tagResource(keyArn, keyTags, { signal });
    } catch (error) {
      log.error("Failed to bring key_tags onto an existing key (retag_existing_keys)", {
        key_arn: keyArn,
        reason: messageOf(error),
      });
    }
  }
}
