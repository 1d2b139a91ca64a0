/** Prunes what servers of this trust domain left that are gone: aliases nobody refreshes, with their keys. */
import { mapBounded } from "../pace/concurrency.ts";
import type { AliasListEntry, Clock, KeyMetadata } from "../ports.ts";
import type { Task } from "../upkeep/task.ts";
import { carryOut, commonRules, type DisposeOptions, disposeThroughQueue } from "./prune.ts";
import { candidateAliases, type DisposalRules, isStaleAlias, planStaleAliases } from "./prune-plan.ts";

export interface DisposeAliasesOptions extends DisposeOptions, Pick<DisposalRules, "names" | "isInUse"> {
  readonly clock: Clock;
  readonly intervalMs: number;
  readonly thresholdMs: number;
}

const concurrency = 8;

export function disposeAliasesTask(options: DisposeAliasesOptions): Task {
  const { kms, names, clock, thresholdMs, isInUse, intervalMs, describe } = options;

  async function describeTargets(
    aliases: readonly AliasListEntry[],
    signal: AbortSignal,
  ): Promise<Map<string, KeyMetadata>> {
    const targets = new Set(aliases.flatMap(({ targetKeyId }) => targetKeyId ?? []));
    const keys = await mapBounded([...targets], concurrency, (keyId) => describe(keyId, signal));
    return new Map(keys.flatMap((key) => (key === "gone" || key === "denied" ? [] : [[key.keyId, key]])));
  }

  async function listAliases(keyId: string | undefined, signal: AbortSignal) {
    const aliases: AliasListEntry[] = [];
    let now = clock.now();
    for await (const page of kms.listAliases(keyId, { signal })) {
      aliases.push(...page.items);
      now = page.serverTime ?? now;
    }
    return { aliases, now };
  }

  async function gather(signal: AbortSignal) {
    const { aliases, now } = await listAliases(undefined, signal);
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
    consequence: "keys of servers that are gone are not pruned",
    intervalMs,
    async runOnce(signal) {
      const { now, ...facts } = await gather(signal);
      const rules = { ...commonRules(options), names, thresholdMs, isInUse };
      const plan = planStaleAliases(facts, { ...rules, now });
      const dispose = disposeThroughQueue(options, async ({ keyId }, stillSignal) => {
        const { aliases, now: later } = await listAliases(keyId, stillSignal);
        const keys = await describeTargets(aliases, stillSignal);
        // On its way it is, by the queue's own doing.
        const stillRules = { ...rules, now: later, isWaiting: () => false };
        return planStaleAliases({ aliases, keys }, stillRules).dispose.length === 1;
      });
      return carryOut(plan, options, dispose, signal);
    },
  };
}
