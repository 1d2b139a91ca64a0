/**
 * Prunes in tag mode: keys of this trust domain that are not refreshed, found by their tags and by nothing else.
 *
 * `spire-active=false` comes first, because KMS refuses to tag a key that is pending deletion; should the process end
 * between the two steps, the next scan finds a key that is inactive and still enabled.
 */

import { explain } from "../errors.ts";
import { Pacer } from "../pace/pacer.ts";
import type { Task } from "../pace/task.ts";
import { type AliasListEntry, isKmsError, type TaggedKey } from "../ports.ts";
import { activeTag, readSpireTags, type SpireTags, type TagIdentity, trustDomainFilter } from "../tags/spire-tags.ts";
import { commonRules, type PruneOptions, pruneAll } from "./prune.ts";
import { planTaggedKeys, type TaggedKeyFacts } from "./prune-plan.ts";

export interface PruneByTagsOptions extends PruneOptions {
  readonly identity: TagIdentity;
  /** Age of `spire-last-update` at which another server's key is stale. */
  readonly staleServerMs: number;
  /** Age at which a key of our own that is not in use is an orphan. */
  readonly staleKeyMs: number;
}

const callsPerSecond = 10;

export function pruneByTagsTask(options: PruneByTagsOptions): Task {
  const { setup, describe, identity, intervalMs, staleServerMs, staleKeyMs } = options;
  const { kms, tagging, clock, log, ring, deletions, telemetry, config } = setup;
  const pacer = new Pacer(clock, callsPerSecond);
  const failed = new Set<string>();

  /** What is fresh by its tags is not even asked about. Our own clock will do for that: the plan has KMS's. */
  function mayBeDue({ keyArn }: TaggedKey, { active, serverId, lastUpdate }: SpireTags): boolean {
    if (ring.uses(keyArn) || deletions.has(keyArn)) return false;
    const limitMs = serverId === identity.serverId ? staleKeyMs : staleServerMs;
    return !active || clock.now().getTime() - (lastUpdate?.getTime() ?? 0) >= limitMs;
  }

  /** Everything about one key that the plan asks for, with KMS's time; undefined when there is no such key or it may not be described. */
  async function factsOf(keyArn: string, tags: SpireTags, signal: AbortSignal) {
    await pacer.turn(signal);
    const key = await describe(keyArn, signal);
    if (key === "gone" || key === "denied") return undefined;
    const aliases: AliasListEntry[] = [];
    let now = clock.now();
    try {
      for await (const page of kms.listAliases(key.keyId, { signal })) {
        aliases.push(...page.items);
        now = page.serverTime ?? now;
      }
    } catch (error) {
      if (isKmsError(error, "NOT_FOUND")) return undefined;
      throw error;
    }
    return { now, facts: { key, tags, aliases } };
  }

  async function gather(signal: AbortSignal): Promise<{ now: Date; facts: readonly TaggedKeyFacts[] }> {
    let now = clock.now();
    const facts: TaggedKeyFacts[] = [];
    for await (const page of tagging.getResources([trustDomainFilter(identity.trustDomain)], { signal })) {
      for (const item of page.items) {
        const tags = readSpireTags(item);
        if (tags === undefined || !mayBeDue(item, tags)) continue;
        const found = await factsOf(item.keyArn, tags, signal);
        if (found === undefined) continue;
        facts.push(found.facts);
        now = found.now;
      }
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
    name: "prune keys by tags",
    consequence:
      "keys of servers that run no more, and what failed generations and crashes left behind, are not pruned",
    intervalMs,
    async runOnce(signal) {
      const { now, facts } = await gather(signal);
      const rules = {
        ...commonRules(options),
        hasFailed: (keyArn: string) => failed.has(keyArn),
        now,
        thresholdMs: staleServerMs,
        ownThresholdMs: staleKeyMs,
        identity,
      };
      const plan = planTaggedKeys(facts, rules);
      const tagsOf = new Map(facts.map(({ key, tags }) => [key.arn, tags]));
      failed.clear();
      return pruneAll(
        plan,
        options,
        async ({ keyArn }, fields) => {
          const tags = tagsOf.get(keyArn);
          const current = tags && (await factsOf(keyArn, tags, signal));
          if (!current || planTaggedKeys([current.facts], { ...rules, now: current.now }).candidates.length === 0) {
            log.info("Key is to stay after all: not scheduled for deletion", fields);
            return;
          }
          failed.add(keyArn);
          const deletionDate = await deactivateAndSchedule(keyArn, current.facts.tags.active);
          failed.delete(keyArn);
          telemetry.count("keys_scheduled_for_deletion");
          log.info("Key scheduled for deletion", { ...fields, deletion_date: deletionDate?.toISOString() });
        },
        signal,
      );
    },
  };
}

const isPending = (error: unknown): boolean => isKmsError(error, "INVALID_STATE") && /pending/i.test(error.message);
