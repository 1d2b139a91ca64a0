/**
 * Prunes in tag mode: keys of this trust domain that nobody keeps active, found by their tags and by nothing else.
 *
 * `spire-active=false` comes first, because KMS refuses to tag a key that is pending deletion; should the process end
 * between the two steps, the next scan finds a key that is inactive and still enabled.
 */
import { type DisposalRules, planTaggedKeys, type TaggedKeyFacts } from "../disposal.ts";
import { messageOf } from "../errors.ts";
import { type Clock, isKmsError, type TaggingClient } from "../ports.ts";
import { activeTag, readSpireTags, type TagIdentity, trustDomainFilter } from "../spire-tags.ts";
import { carryOut, type DisposeOptions } from "./dispose.ts";
import { Pacer } from "./pacer.ts";
import type { Task } from "./task.ts";

export interface DisposeKeysViaTagsOptions extends DisposeOptions, Pick<DisposalRules, "names" | "isInUse"> {
  readonly tagging: TaggingClient;
  readonly identity: TagIdentity;
  readonly clock: Clock;
  readonly intervalMs: number;
  /** Age of `spire-last-update` at which another server's key is stale. */
  readonly staleServerMs: number;
  /** Age at which a key of our own that is not in use is a leftover. */
  readonly staleKeyMs: number;
}

const callsPerSecond = 10;

export function disposeKeysViaTagsTask(options: DisposeKeysViaTagsOptions): Task {
  const { kms, tagging, identity, names, isInUse, clock, log, intervalMs, maxDeletionsPerScan } = options;
  const { staleServerMs, staleKeyMs, pendingWindowInDays } = options;
  const pacer = new Pacer(clock, callsPerSecond);

  /** Everything about one key that the plan asks for; undefined when it is gone. */
  async function factsOf(keyArn: string, signal: AbortSignal): Promise<Omit<TaggedKeyFacts, "tags"> | undefined> {
    await pacer.turn(signal);
    try {
      const key = await kms.describeKey(keyArn, { signal });
      const aliases = [];
      for await (const page of kms.listAliases(key.keyId, { signal })) aliases.push(...page.items);
      return { key, aliases };
    } catch (error) {
      if (isKmsError(error, "NotFound")) return undefined;
      throw error;
    }
  }

  async function gather(signal: AbortSignal): Promise<readonly TaggedKeyFacts[]> {
    const now = clock.now().getTime();
    const facts: TaggedKeyFacts[] = [];
    for await (const page of tagging.getResources([trustDomainFilter(identity.trustDomain)], { signal })) {
      for (const item of page.items) {
        const tags = readSpireTags(item);
        if (tags === undefined || isInUse(item.keyArn)) continue;
        const ageMs = now - (tags.lastUpdate?.getTime() ?? now);
        const limitMs = tags.serverId === identity.serverId ? staleKeyMs : staleServerMs;
        // What is fresh by its tags is not even asked about.
        if (tags.active && ageMs < limitMs) continue;
        const found = await factsOf(item.keyArn, signal);
        if (found !== undefined) facts.push({ ...found, tags });
      }
    }
    return facts;
  }

  async function deactivateAndSchedule(keyArn: string, wasActive: boolean): Promise<Date | undefined> {
    if (wasActive) await kms.tagResource(keyArn, [activeTag(false)]);
    try {
      return await kms.scheduleKeyDeletion(keyArn, pendingWindowInDays);
    } catch (error) {
      if (isKmsError(error, "NotFound", "InvalidState")) return undefined;
      if (wasActive) {
        await kms.tagResource(keyArn, [activeTag(true)]).catch((again: unknown) => {
          log.warn("Key stays marked inactive: the next scan will look at it", {
            key_arn: keyArn,
            reason: messageOf(again),
          });
        });
      }
      throw error;
    }
  }

  return {
    name: "prune keys by tags",
    intervalMs,
    async runOnce(signal) {
      const facts = await gather(signal);
      const rules = {
        names,
        isInUse,
        now: clock.now(),
        thresholdMs: staleServerMs,
        ownThresholdMs: staleKeyMs,
        maxDeletions: maxDeletionsPerScan,
        identity,
      };
      const plan = planTaggedKeys(facts, rules);
      const tagsOf = new Map(facts.map(({ key, tags }) => [key.arn, tags]));
      return carryOut(plan, options, async (disposal, fields) => {
        const tags = tagsOf.get(disposal.keyArn);
        const current = await factsOf(disposal.keyArn, signal);
        if (tags === undefined || current === undefined) return false;
        if (planTaggedKeys([{ ...current, tags }], rules).dispose.length === 0) return false;
        const deletionDate = await deactivateAndSchedule(disposal.keyArn, tags.active);
        log.info("Key scheduled for deletion", { ...fields, deletion_date: deletionDate?.toISOString() });
        return true;
      });
    },
  };
}
