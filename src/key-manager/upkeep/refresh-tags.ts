/**
 * Refreshes this server's keys in tag mode: `spire-last-update` = now on each.
 *
 * The other four tags go with it. They are there already, but for a key that a replica in alias mode made: without them a
 * restart would not find it.
 */
import { messageOf } from "../errors.ts";
import { Pacer } from "../pace/pacer.ts";
import { type Task, TaskFailure } from "../pace/task.ts";
import type { Setup } from "../setup.ts";
import { freshTagMsOf, notFreshDate, spireTags, type TagIdentity } from "../tags/spire-tags.ts";

/** KMS allows 10 TagResource a second, for the whole account. */
const updatesPerSecond = 3;

/** @param untaggedIds ids of keys that a migration has not tagged yet */
export function refreshTagsTask(
  { ring, kms, clock, log }: Setup,
  identity: TagIdentity,
  intervalMs: number,
  untaggedIds: ReadonlySet<string> = new Set(),
): Task {
  const pacer = new Pacer(clock, updatesPerSecond);
  const untagged = new Set(untaggedIds);

  /** While a key is not tagged, no other's date may tell the next start that it need not look at the aliases. */
  const date = (): Date => (untagged.size === 0 ? clock.now() : notFreshDate(clock.now(), freshTagMsOf(intervalMs)));

  async function keep(keyId: string, signal: AbortSignal): Promise<void> {
    const entry = ring.get(keyId);
    if (entry !== undefined) await kms.tagResource(entry.keyArn, spireTags(identity, keyId, date()), { signal });
    untagged.delete(keyId);
  }

  return {
    name: "keep active keys",
    consequence:
      "other servers of the trust domain that run in tag mode take this server's keys for stale once their tags and aliases are older than stale_alias_threshold",
    isRefresh: true,
    intervalMs,
    async runOnce(signal) {
      let failure: unknown;
      const failed = new Set<string>();
      const keyIds = [...ring.entries.keys()];
      // What a migration has left first, and then once more: with all of them tagged, each gets its date.
      for (const keyId of [...untagged, ...keyIds]) {
        await pacer.turn(signal);
        try {
          // In turn with generations of the same id: a key that is being replaced is not marked active again.
          await ring.inTurn(keyId, () => keep(keyId, signal));
        } catch (error) {
          signal.throwIfAborted();
          failure = error;
          failed.add(keyId);
          log.debug("Failed to keep a key active", { key_id: keyId, reason: messageOf(error) });
        }
      }
      if (failed.size > 0) throw new TaskFailure(`${failed.size} keys were not kept active`, [...failed], failure);
      return { kept: keyIds.length };
    },
  };
}
