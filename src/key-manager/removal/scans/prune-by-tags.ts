/**
 * Prunes in tag mode: keys of this trust domain that are not refreshed, found by their tags and by nothing else.
 *
 * `spire-active=false` comes first, because KMS refuses to tag a key that is pending deletion; should the process end
 * between the two steps, the next scan finds a key that is inactive and still enabled.
 */

import { explain } from "../../errors.ts";
import { ScanTime } from "../../pace/kms-time.ts";
import { Pacer } from "../../pace/pacer.ts";
import type { Task } from "../../pace/task.ts";
import { type AliasListEntry, isKmsError, type TaggedKey } from "../../ports.ts";
import {
  activeTag,
  readSpireTags,
  type SpireTags,
  type TagIdentity,
  trustDomainFilter,
} from "../../tags/spire-tags.ts";
import { commonRules, nothingFound, type PruneOptions, pruneAll, whyNotPlanned } from "./prune.ts";
import { planTaggedKeys, type TaggedKeyFacts } from "./prune-plan.ts";

export interface PruneByTagsOptions extends PruneOptions {
  readonly identity: TagIdentity;
  /** Age of `spire-last-update` at which another server's key is stale. */
  readonly staleServerMs: number;
  /** Age at which a key of our own that is not in use is an orphan. */
  readonly staleKeyMs: number;
}

const callsPerSecond = 10;
const name = "prune keys by tags";

export function pruneByTagsTask(options: PruneByTagsOptions): Task {
  const { setup, describe, identity, intervalMs, staleServerMs, staleKeyMs } = options;
  const { kms, tagging, clock, log, ring, deletions, telemetry, config, kmsTime } = setup;
  const pacer = new Pacer(clock, callsPerSecond);
  const failed = new Set<string>();

  /** What is fresh by its tags is not even asked about. Our own clock will do for that: the plan has KMS's. */
  function mayBeDue({ keyArn }: TaggedKey, { active, serverId, lastUpdate }: SpireTags): boolean {
    if (ring.uses(keyArn) || deletions.has(keyArn)) return false;
    const limitMs = serverId === identity.serverId ? staleKeyMs : staleServerMs;
    return lastUpdate !== undefined && (!active || clock.now().getTime() - lastUpdate.getTime() >= limitMs);
  }

  /** Everything about one key that the plan asks for, with KMS's time; undefined when there is no such key or it may not be described. */
  async function factsOf(keyArn: string, tags: SpireTags, signal: AbortSignal) {
    await pacer.turn(signal);
    const key = await describe(keyArn, signal);
    if (key === "NOT_FOUND" || key === "ACCESS_DENIED") return undefined;
    const aliases: AliasListEntry[] = [];
    const time = new ScanTime(kmsTime);
    try {
      for await (const page of kms.listAliases(key.keyId, { signal })) {
        aliases.push(...page.items);
        time.note(page.serverTime);
      }
    } catch (error) {
      if (isKmsError(error, "NOT_FOUND")) return undefined;
      throw error;
    }
    return { reading: time.reading, facts: { key, tags, aliases } };
  }

  /** Keys of this trust domain by their tags, as far as they may be due. */
  async function taggedKeys(signal: AbortSignal): Promise<ReadonlyMap<string, SpireTags>> {
    const found = new Map<string, SpireTags>();
    for await (const page of tagging.getResources([trustDomainFilter(identity.trustDomain)], { signal })) {
      for (const item of page.items) {
        const tags = readSpireTags(item);
        if (tags !== undefined && mayBeDue(item, tags)) found.set(item.keyArn, tags);
      }
    }
    return found;
  }

  async function gather(tagged: ReadonlyMap<string, SpireTags>, signal: AbortSignal) {
    const facts: TaggedKeyFacts[] = [];
    let now: Date | undefined;
    for (const [keyArn, tags] of tagged) {
      const found = await factsOf(keyArn, tags, signal);
      if (found === undefined) continue;
      if ("doubt" in found.reading) return found.reading;
      facts.push(found.facts);
      ({ now } = found.reading);
    }
    return { now, facts };
  }

  async function deactivateAndSchedule(keyArn: string, wasActive: boolean): Promise<Date | undefined> {
    if (wasActive) await kms.tagResource(keyArn, [activeTag(false)]);
    try {
      return await kms.scheduleKeyDeletion(keyArn, config.pendingWindowInDays);
    } catch (error) {
      if (isKmsError(error, "NOT_FOUND") || isPending(error)) return undefined;
      if (wasActive && (await reactivate(keyArn)) === "pending") return undefined;
      throw error;
    }
  }

  /** @returns `pending` when the deletion turns out to be scheduled, by a call whose answer was lost */
  async function reactivate(keyArn: string): Promise<"active" | "inactive" | "pending"> {
    try {
      await kms.tagResource(keyArn, [activeTag(true)]);
      return "active";
    } catch (error) {
      if (isPending(error)) return "pending";
      log.warn("Key stays marked inactive: the next scan will look at it", { key_arn: keyArn, reason: explain(error) });
      return "inactive";
    }
  }

  return {
    name,
    consequence: "keys of servers that are gone, and what failed generations and crashes left behind, are not pruned",
    intervalMs,
    async runOnce(signal) {
      let tagged = await taggedKeys(signal);
      const gathered = await gather(tagged, signal);
      if ("doubt" in gathered) return nothingFound(options, name, gathered.doubt);
      const { facts, now } = gathered;
      if (now === undefined) return { found: 0 };
      const rules = (at: Date) => ({
        ...commonRules(options),
        hasFailed: (keyArn: string) => failed.has(keyArn),
        now: at,
        thresholdMs: staleServerMs,
        ownThresholdMs: staleKeyMs,
        identity,
      });
      const plan = planTaggedKeys(facts, rules(now));
      failed.clear();

      /** Why the key must stay by what is to be seen now. */
      const whyStays = async (keyArn: string, tags: SpireTags): Promise<string | undefined> => {
        const current = await factsOf(keyArn, tags, signal);
        if (current === undefined) return "it cannot be described any more";
        if ("doubt" in current.reading) return current.reading.doubt;
        const { now: later } = current.reading;
        const thresholdMs = tags.serverId === identity.serverId ? staleKeyMs : staleServerMs;
        return (
          whyNotPlanned(planTaggedKeys([current.facts], rules(later))) ??
          (await options.lastUsage.whyUsed(keyArn, later, thresholdMs, signal))
        );
      };

      return pruneAll(
        plan,
        options,
        async ({ keyArn }, fields) => {
          const tags = tagged.get(keyArn);
          const reason = tags === undefined ? "its tags are fresh" : await whyStays(keyArn, tags);
          if (tags === undefined || reason !== undefined) {
            log.info("Key is to stay after all: not scheduled for deletion", { ...fields, reason });
            return;
          }
          failed.add(keyArn);
          const deletionDate = await deactivateAndSchedule(keyArn, tags.active);
          failed.delete(keyArn);
          telemetry.count("keys_scheduled_for_deletion");
          log.info("Key scheduled for deletion", { ...fields, deletion_date: deletionDate?.toISOString() });
        },
        signal,
        async () => {
          tagged = await taggedKeys(signal);
        },
      );
    },
  };
}

const isPending = (error: unknown): boolean => isKmsError(error, "INVALID_STATE") && /pending/i.test(error.message);
