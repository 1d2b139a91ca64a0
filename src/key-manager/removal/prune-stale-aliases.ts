/** Prunes what servers of this trust domain left that run no more: aliases that are not refreshed, with their keys. */
import { mapBounded } from "../pace/concurrency.ts";
import type { Task } from "../pace/task.ts";
import type { AliasListEntry, KeyMetadata } from "../ports.ts";
import { commonRules, type PruneOptions, pruneAll, pruneThroughQueue, whyNotPlanned } from "./prune.ts";
import { candidateAliases, isStaleAlias, planStaleAliases } from "./prune-plan.ts";

export interface PruneStaleAliasesOptions extends PruneOptions {
  readonly thresholdMs: number;
}

const concurrency = 8;

export function pruneStaleAliasesTask(options: PruneStaleAliasesOptions): Task {
  const { setup, thresholdMs, intervalMs, describe } = options;
  const { kms, names, clock } = setup;

  async function describeTargets(
    aliases: readonly AliasListEntry[],
    signal: AbortSignal,
  ): Promise<Map<string, KeyMetadata>> {
    const targets = new Set(aliases.flatMap(({ targetKeyId }) => targetKeyId ?? []));
    const keys = await mapBounded([...targets], concurrency, (keyId) => describe(keyId, signal));
    return new Map(keys.flatMap((key) => (key === "gone" || key === "denied" ? [] : [[key.keyId, key]])));
  }

  async function listAliases(signal: AbortSignal) {
    const aliases: AliasListEntry[] = [];
    let now = clock.now();
    for await (const page of kms.listAliases(undefined, { signal })) {
      aliases.push(...page.items);
      now = page.serverTime ?? now;
    }
    return { aliases, now };
  }

  async function gather(signal: AbortSignal) {
    const { aliases, now } = await listAliases(signal);
    const candidates = candidateAliases(aliases, names);
    const stale = candidates.filter((alias) => isStaleAlias(alias, { now, thresholdMs }));
    const keys = await describeTargets(stale, signal);
    // Whether another trust domain shares the alias segment matters for descriptions that both would write alike.
    const isDoubtful = [...keys.values()].some(({ description }) => names.trustDomainOf(description) === "shared");
    if (!isDoubtful) return { aliases, keys, now };
    const others = candidates.filter(({ targetKeyId }) => targetKeyId !== undefined && !keys.has(targetKeyId));
    return { aliases, keys: new Map([...keys, ...(await describeTargets(others, signal))]), now };
  }

  return {
    name: "prune stale aliases",
    consequence: "keys of servers that run no more are not pruned",
    intervalMs,
    async runOnce(signal) {
      const { now, ...facts } = await gather(signal);
      const rules = { ...commonRules(options), thresholdMs };
      const plan = planStaleAliases(facts, { ...rules, now });
      const prune = pruneThroughQueue(options, ({ key, aliases, now: later = clock.now() }) => {
        // It waits, but in the queue that asks.
        const laterRules = { ...rules, now: later, isWaiting: () => false };
        return whyNotPlanned(planStaleAliases({ aliases, keys: new Map([[key.keyId, key]]) }, laterRules));
      });
      return pruneAll(plan, options, prune, signal);
    },
  };
}
