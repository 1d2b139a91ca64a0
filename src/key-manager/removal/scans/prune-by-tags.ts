/**
 * Prunes in tag mode: keys of this trust domain that are not refreshed, found by their tags and by nothing else.
 *
 * The queue marks a key inactive before it schedules it; should the process end between the two steps, the next scan
 * finds a key that is inactive and still enabled.
 */
import { ScanTime } from "../../pace/kms-time.ts";
import { Pacer } from "../../pace/pacer.ts";
import type { Task } from "../../pace/task.ts";
import { type AliasListEntry, isKmsError } from "../../ports.ts";
import type { SpireTags, TagIdentity } from "../../tags/spire-tags.ts";
import {
  commonRules,
  nothingFound,
  type PruneOptions,
  pruneAll,
  pruneThroughQueue,
  type ScanRules,
  whyNotPlanned,
} from "./prune.ts";
import { type PruneCandidate, planTaggedKeys, type TaggedKeyFacts, type TagPruneRules } from "./prune-plan.ts";

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
  const { setup, describe, identity, tags, intervalMs, staleServerMs, staleKeyMs } = options;
  const { kms, clock, ring, deletions, kmsTime } = setup;
  const pacer = new Pacer(clock, callsPerSecond);

  const limitMsOf = ({ serverId }: SpireTags) => (serverId === identity.serverId ? staleKeyMs : staleServerMs);

  /** What is fresh by its tags is not even asked about. Our own clock will do for that: the plan has KMS's. */
  function mayBeDue(keyArn: string, tagged: SpireTags): boolean {
    if (ring.uses(keyArn) || deletions.has(keyArn)) return false;
    const { active, lastUpdate } = tagged;
    return lastUpdate !== undefined && (!active || clock.now().getTime() - lastUpdate.getTime() >= limitMsOf(tagged));
  }

  /** Everything about one key that the plan asks for, with KMS's time; undefined when there is no such key or it may not be described. */
  async function factsOf(keyArn: string, tagged: SpireTags, signal: AbortSignal) {
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
    return { reading: time.reading, facts: { key, tags: tagged, aliases } };
  }

  async function gather(signal: AbortSignal) {
    const facts: TaggedKeyFacts[] = [];
    let now: Date | undefined;
    const due = [...tags.all].filter(([keyArn, tagged]) => mayBeDue(keyArn, tagged));
    for (const [keyArn, tagged] of due) {
      const found = await factsOf(keyArn, tagged, signal);
      if (found === undefined) continue;
      if ("doubt" in found.reading) return found.reading;
      facts.push(found.facts);
      ({ now } = found.reading);
    }
    return { now, facts };
  }

  const rulesAt = (now: Date): TagPruneRules => ({
    ...commonRules(options),
    now,
    thresholdMs: staleServerMs,
    ownThresholdMs: staleKeyMs,
    identity,
  });

  /** The rules that hold for one key from here on, by its tags as they are read again before each look. */
  function rulesFor({ keyArn, rule }: PruneCandidate): ScanRules {
    const found = tags.get(keyArn);
    return {
      thresholdMs: found === undefined ? staleServerMs : limitMsOf(found),
      mayStay({ key, aliases }, now) {
        const current = tags.get(keyArn);
        if (current === undefined) return "its tags are not this trust domain's any more";
        // A mark that it did not have when it was found is our own, and says nothing of its age.
        const tagged = { ...current, active: current.active || rule !== "inactive" };
        // It waits, but in the queue that asks.
        const rules = { ...rulesAt(now), isWaiting: () => false };
        return whyNotPlanned(planTaggedKeys([{ key, tags: tagged, aliases }], rules));
      },
    };
  }

  return {
    name,
    consequence: "keys of servers that are gone, and what failed generations and crashes left behind, are not pruned",
    intervalMs,
    async runOnce(signal) {
      await tags.read(signal);
      const gathered = await gather(signal);
      if ("doubt" in gathered) return nothingFound(options, name, gathered.doubt);
      const { facts, now } = gathered;
      if (now === undefined) return { found: 0 };
      const plan = planTaggedKeys(facts, rulesAt(now));
      return pruneAll(plan, options, pruneThroughQueue(options, rulesFor), signal);
    },
  };
}
