/**
 * Refreshes this server's aliases: UpdateAlias to the same key moves `LastUpdatedDate`, by which other servers see
 * that the key is in use.
 *
 * An alias that points elsewhere by now was moved by a replica that shares our identity. It is left alone and the cache
 * follows it: a stale server that pointed it back had a key in use deleted (SPIRE issue 6804).
 */

import { messageOf } from "../errors.ts";
import type { KeyEntry } from "../keys/key-entry.ts";
import { Pacer } from "../pace/pacer.ts";
import { type Task, TaskFailure, type TaskReport } from "../pace/task.ts";
import { isKmsError, isPendingDeletion, type KeyMetadata } from "../ports.ts";
import { followAlias } from "../rotation/follow-alias.ts";
import type { Setup } from "../setup.ts";

/** KMS allows 5 UpdateAlias a second, for the whole account. */
const updatesPerSecond = 3;
/** Rounds over what is throttled or fails in passing, before the run counts as failed. */
const maxRounds = 5;
const minRoundDelayMs = 15_000;

/** `foreign`: it stands on a key that cannot be used; left alone. */
type Outcome = "refreshed" | "followed" | "foreign" | "healed" | "gone";

export function refreshAliasesTask(setup: Setup, intervalMs: number): Task {
  const { ring, kms, clock, log, fleet } = setup;
  const pacer = new Pacer(clock, updatesPerSecond);

  /** As long as a large fleet takes, all rounds together: who was refused must not ask all the time. */
  const roundDelayMs = (): number => {
    const longest = Math.max(minRoundDelayMs, fleet.refreshSpreadMs / maxRounds);
    return longest > minRoundDelayMs ? longest * (0.5 + clock.random()) : longest;
  };

  /** The alias was deleted, perhaps by the pruning of a server that took us for dead. */
  async function recreate({ aliasName, keyArn }: KeyEntry, signal: AbortSignal): Promise<Outcome> {
    await kms.createAlias(aliasName, keyArn, { signal });
    log.warn("Alias of a key in use was missing and has been created again", {
      alias_name: aliasName,
      key_arn: keyArn,
    });
    return "healed";
  }

  /** The key that the alias stands on cannot be used, and without an alias ours would be taken for an orphan. */
  async function takeBack(
    { aliasName, keyArn }: KeyEntry,
    pending: KeyMetadata,
    signal: AbortSignal,
  ): Promise<Outcome> {
    await kms.updateAlias(aliasName, keyArn, { signal });
    log.warn("Alias of a key in use stood on a key that is pending deletion: it points at the key in use now", {
      alias_name: aliasName,
      key_arn: keyArn,
      replaced_key_arn: pending.arn,
    });
    return "healed";
  }

  async function refresh(keyId: string, signal: AbortSignal): Promise<Outcome> {
    const entry = ring.get(keyId);
    if (entry === undefined) return "gone";
    await pacer.turn(signal);
    try {
      const target = await kms.describeKey(entry.aliasName, { signal });
      if (target.arn !== entry.keyArn && isPendingDeletion(target)) return await takeBack(entry, target, signal);
      if (target.arn !== entry.keyArn) {
        return (await followAlias(setup, entry, signal)) === undefined ? "foreign" : "followed";
      }
      await kms.updateAlias(entry.aliasName, entry.keyArn, { signal });
      return "refreshed";
    } catch (error) {
      if (isKmsError(error, "NOT_FOUND")) return recreate(entry, signal);
      throw error;
    }
  }

  return {
    name: "refresh aliases",
    consequence:
      "other servers of the trust domain take this server's keys for stale, and delete them, once their aliases are older than stale_alias_threshold",
    isRefresh: true,
    intervalMs,
    async runOnce(signal): Promise<TaskReport> {
      const counts: Record<Outcome, number> = { refreshed: 0, followed: 0, foreign: 0, healed: 0, gone: 0 };
      let left: readonly string[] = [...ring.entries.keys()];
      let failure: unknown;
      for (let round = 1; left.length > 0 && round <= maxRounds; round++) {
        if (round > 1) await clock.sleep(roundDelayMs(), signal);
        const failed: string[] = [];
        const followed: string[] = [];
        for (const keyId of left) {
          try {
            // In turn with generations of the same id: our own rotation is never mistaken for a replica's.
            const outcome = await ring.inTurn(keyId, () => refresh(keyId, signal));
            counts[outcome]++;
            if (outcome === "followed") followed.push(keyId);
          } catch (error) {
            signal.throwIfAborted();
            failure = error;
            failed.push(keyId);
            log.debug("Failed to refresh alias", { key_id: keyId, reason: messageOf(error) });
          }
        }
        // What was followed is ours to refresh from now on: the replica that moved it may have ended.
        left = round < maxRounds ? [...failed, ...followed] : failed;
      }
      if (left.length > 0) throw new TaskFailure(`${left.length} aliases were not refreshed`, left, failure);
      return { ...counts };
    },
  };
}
