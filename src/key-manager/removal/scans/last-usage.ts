/** KMS's own record of a key's use (GetKeyLastUsage): a key that signs is no orphan, whatever its alias and tags say. */
import { explain } from "../../errors.ts";
import { formatDuration } from "../../pace/duration.ts";
import { isKmsError, type KmsClient, type Logger } from "../../ports.ts";

export interface LastUsageOptions {
  readonly kms: Pick<KmsClient, "getKeyLastUsage">;
  readonly log: Logger;
}

const hourMs = 3_600_000;

/**
 * Asks why a key may still be in use.
 *
 * An empty record proves nothing, for recording may have begun after the key was used last; a record that may not be read,
 * or that this KMS does not keep, is told once and is no obstacle.
 */
export class LastUsage {
  readonly #options: LastUsageOptions;
  #isTold = false;

  constructor(options: LastUsageOptions) {
    this.#options = options;
  }

  /**
   * @param withinMs a key that was used within this time stays
   * @returns the reason to let the key stay; undefined when there is none
   * @throws KmsError for what may pass: then the deletion waits
   */
  async whyUsed(keyArn: string, now: Date, withinMs: number, signal: AbortSignal): Promise<string | undefined> {
    const { kms, log } = this.#options;
    try {
      const { lastUsedAt } = await kms.getKeyLastUsage(keyArn, { signal });
      if (lastUsedAt === undefined || now.getTime() - lastUsedAt.getTime() >= withinMs) return undefined;
      const threshold = formatDuration(Math.floor(withinMs / hourMs) * hourMs);
      return `KMS has recorded a use of the key at ${lastUsedAt.toISOString()}, within the last ${threshold}`;
    } catch (error) {
      if (!isKmsError(error, "ACCESS_DENIED", "INVALID_REQUEST", "NOT_FOUND", "INVALID_STATE")) throw error;
      if (!this.#isTold) {
        log.info("KMS does not tell when keys were used last: pruning goes by aliases and tags alone", {
          reason: explain(error),
        });
      }
      this.#isTold = true;
      return undefined;
    }
  }
}
