/** Prunes what servers of this trust domain left that run no more: aliases that are not refreshed, with their keys. */
import type { KeyFacts } from "../../deletions.ts";
import { mapBounded } from "../../pace/concurrency.ts";
import { ScanTime } from "../../pace/kms-time.ts";
import type { Task } from "../../pace/task.ts";
import type { AliasListEntry, KeyMetadata } from "../../ports.ts";
import { commonRules, nothingFound, type PruneOptions, pruneAll, pruneThroughQueue, whyNotPlanned } from "./prune.ts";
import { candidateAliases, isStaleAlias, type PruneRules, planStaleAliases } from "./prune-plan.ts";

export interface PruneStaleAliasesOptions extends PruneOptions {
  readonly thresholdMs: number;
  /** Told all aliases of the account with KMS's time. */
  readonly onAliases?: (aliases: readonly AliasListEntry[], now: Date) => void;
}

const concurrency = 8;
const name = "prune stale aliases";

export function pruneStaleAliasesTask(options: PruneStaleAliasesOptions): Task {
  const { setup, thresholdMs, intervalMs, describe, tags } = options;
  const { kms, names, kmsTime } = setup;

  async function describeTargets(
    aliases: readonly AliasListEntry[],
    signal: AbortSignal,
  ): Promise<Map<string, KeyMetadata>> {
    const targets = new Set(aliases.flatMap(({ targetKeyId }) => targetKeyId ?? []));
    const keys = await mapBounded([...targets], concurrency, (keyId) => describe(keyId, signal));
    return new Map(keys.flatMap((key) => (key === "NOT_FOUND" || key === "ACCESS_DENIED" ? [] : [[key.keyId, key]])));
  }

  async function listAliases(signal: AbortSignal) {
    const aliases: AliasListEntry[] = [];
    const time = new ScanTime(kmsTime);
    for await (const page of kms.listAliases(undefined, { signal })) {
      aliases.push(...page.items);
      time.note(page.serverTime);
    }
    return { aliases, reading: time.reading };
  }

  /** Targets of stale aliases; all targets where it matters whether another trust domain shares the alias segment. */
  async function describeKeys(aliases: readonly AliasListEntry[], now: Date, signal: AbortSignal) {
    const candidates = candidateAliases(aliases, names);
    const stale = candidates.filter((alias) => isStaleAlias(alias, { now, thresholdMs }));
    const keys = await describeTargets(stale, signal);
    // Descriptions that both trust domains would write alike.
    const isDoubtful = [...keys.values()].some(({ description }) => names.trustDomainOf(description) === "shared");
    if (!isDoubtful) return keys;
    const others = candidates.filter(({ targetKeyId }) => targetKeyId !== undefined && !keys.has(targetKeyId));
    return new Map([...keys, ...(await describeTargets(others, signal))]);
  }

  return {
    name,
    consequence: "keys of servers that are gone are not pruned",
    intervalMs,
    async runOnce(signal) {
      const { aliases, reading } = await listAliases(signal);
      if ("doubt" in reading) return nothingFound(options, name, reading.doubt);
      const { now } = reading;
      options.onAliases?.(aliases, now);
      const keys = await describeKeys(aliases, now, signal);
      if (keys.size > 0) await tags.read(signal);
      const rules = (at: Date): PruneRules => ({
        ...commonRules(options),
        thresholdMs,
        now: at,
        isOwnByTags: (keyArn) => tags.get(keyArn) !== undefined,
        isRefreshedByTags: (keyArn) => tags.isFresh(keyArn, at, thresholdMs),
      });
      const plan = planStaleAliases({ aliases, keys }, rules(now));
      const mayStay = ({ key, aliases: ofKey }: KeyFacts, later: Date) => {
        // It waits, but in the queue that asks.
        const laterRules = { ...rules(later), isWaiting: () => false };
        return whyNotPlanned(
          planStaleAliases({ aliases: ofKey, keys: new Map([...keys, [key.keyId, key]]) }, laterRules),
        );
      };
      const prune = pruneThroughQueue(options, () => ({ thresholdMs, mayStay, isAliasStale: true }));
      return pruneAll(plan, options, prune, signal);
    },
  };
}
