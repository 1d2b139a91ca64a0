/** What tag mode adds to making, following and deleting keys. */
import { explain, isPendingRefusal, KeyManagerError } from "../errors.ts";
import { withTimeLimit } from "../pace/time-limit.ts";
import { type Clock, isKmsError, type KmsClient, type Logger, type Tag } from "../ports.ts";
import { keyTagProblems } from "./key-tags.ts";
import { activeTag, keyIdTagValue, spireTags, type TagIdentity, tagNames } from "./spire-tags.ts";

export interface TaggingOptions {
  readonly kms: KmsClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly keyTags: readonly Tag[];
  /** Undefined: keys carry the operator's tags only. */
  readonly identity: TagIdentity | undefined;
}

/** Takes a mark back. Never rejects. */
type TakeMarkBack = () => Promise<"active" | "inactive" | "pending deletion">;

/** The tags of one configuration's keys. */
export class KeyTagging {
  readonly #options: TaggingOptions;

  constructor(options: TaggingOptions) {
    this.#options = options;
  }

  /** The same in another Region. */
  with(kms: KmsClient): KeyTagging {
    return new KeyTagging({ ...this.#options, kms });
  }

  /** Who this server is in tags; undefined outside tag mode. */
  get identity(): TagIdentity | undefined {
    return this.#options.identity;
  }

  /** Tags of a new key. @throws KeyManagerError `INVALID_ARGUMENT` for a key id that does not fit into a tag */
  tagsFor(keyId: string): readonly Tag[] {
    const { identity, keyTags, clock } = this.#options;
    if (identity === undefined) return keyTags;
    // Looked at as a value: its own name is reserved.
    const [problem] = keyTagProblems([{ key: "id", value: keyIdTagValue(keyId) }]);
    if (problem !== undefined) {
      throw new KeyManagerError("INVALID_ARGUMENT", `key id does not fit into tag ${tagNames.keyId}: ${problem}`);
    }
    return [...keyTags, ...spireTags(identity, keyId, clock.now())];
  }

  /**
   * `spire-active=false`, as far as KMS lets us: a key that stays marked active is not taken for a usable one once it is
   * pending deletion. Nothing to do outside tag mode.
   *
   * @throws KmsError for what may pass: then it is worth while to wait with the deletion
   */
  async markInactive(keyArn: string): Promise<TakeMarkBack | undefined> {
    const { identity, kms, log } = this.#options;
    if (identity === undefined) return undefined;
    try {
      await kms.tagResource(keyArn, [activeTag(false)]);
      return () => this.#markActive(keyArn);
    } catch (error) {
      if (isKmsError(error, "NOT_FOUND", "INVALID_STATE")) return undefined;
      if (isKmsError(error, "THROTTLED", "UNAVAILABLE", "TIMEOUT")) throw error;
      log.warn("Failed to mark a key inactive", { key_arn: keyArn, reason: explain(error) });
      return undefined;
    }
  }

  async #markActive(keyArn: string): ReturnType<TakeMarkBack> {
    const { kms, log } = this.#options;
    try {
      await kms.tagResource(keyArn, [activeTag(true)]);
      return "active";
    } catch (error) {
      if (isPendingRefusal(error)) return "pending deletion";
      log.warn("Key stays marked inactive: the next scan will look at it", { key_arn: keyArn, reason: explain(error) });
      return "inactive";
    }
  }

  /** Marks a key that another process made as in use by this server. Never rejects. */
  async claim({ keyArn, keyId }: { readonly keyArn: string; readonly keyId: string }): Promise<void> {
    const { identity, kms, clock, log } = this.#options;
    if (identity === undefined) return;
    try {
      await kms.tagResource(keyArn, spireTags(identity, keyId, clock.now()));
    } catch (error) {
      log.warn("Failed to tag a key that another server with this identity made; the next refresh will do it", {
        key_id: keyId,
        key_arn: keyArn,
        reason: explain(error),
      });
    }
  }

  /** Brings the operator's tags onto keys that exist already; what fails is told and changes nothing else. */
  async retag(keyArns: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    const { log, keyTags } = this.#options;
    if (keyTags.length === 0) return;
    for (const [index, keyArn] of keyArns.entries()) {
      const outcome = await tagWithoutWaiting(keyArn, keyTags, { ...this.#options, signal });
      if (outcome === "tagged") continue;
      const left = outcome.isPassing ? keyArns.length - index - 1 : 0;
      log.error("Failed to bring key_tags onto an existing key (retag_existing_keys)", {
        key_arn: keyArn,
        reason: explain(outcome.error),
        ...(left > 0 ? { left_to_the_next_configure: left } : {}),
      });
      if (outcome.isPassing) return;
    }
  }
}

/** How long Configure waits for one key to be tagged: whatever needs the tags comes later. */
const limitMs = 5_000;

/** `isPassing`: the next key would meet the same. */
export type TaggingOutcome = "tagged" | { readonly error: unknown; readonly isPassing: boolean };

/** Tags a key at Configure. Rejects only when Configure is given up. */
export async function tagWithoutWaiting(
  keyArn: string,
  tags: readonly Tag[],
  { kms, clock, signal }: Pick<TaggingOptions, "kms" | "clock"> & { readonly signal: AbortSignal | undefined },
): Promise<TaggingOutcome> {
  try {
    await withTimeLimit({ clock, limitMs, operation: "TagResource", signal }, (inTime) =>
      kms.tagResource(keyArn, tags, { signal: inTime }),
    );
    return "tagged";
  } catch (error) {
    signal?.throwIfAborted();
    return { error, isPassing: isKmsError(error, "THROTTLED", "UNAVAILABLE", "TIMEOUT", "UNAUTHENTICATED") };
  }
}
