/** Prunes what servers of this trust domain left that are gone: aliases nobody refreshes, with their keys. */
import { mapBounded } from "../concurrency.ts";
import { candidateAliases, type Disposal, type DisposalRules, planStaleAliases } from "../disposal.ts";
import { type AliasListEntry, type Clock, isKmsError, type KeyMetadata } from "../ports.ts";
import { carryOut, type DisposeOptions, disposeThroughQueue } from "./dispose.ts";
import type { Task } from "./task.ts";

export interface DisposeAliasesOptions extends DisposeOptions, Pick<DisposalRules, "names" | "isInUse"> {
  readonly clock: Clock;
  readonly intervalMs: number;
  readonly thresholdMs: number;
}

const concurrency = 8;

export function disposeAliasesTask(options: DisposeAliasesOptions): Task {
  const { kms, names, clock, thresholdMs, maxDeletionsPerScan, isInUse, intervalMs } = options;

  async function describe(keyId: string, signal: AbortSignal): Promise<KeyMetadata | undefined> {
    try {
      return await kms.describeKey(keyId, { signal });
    } catch (error) {
      if (isKmsError(error, "NotFound", "AccessDenied")) return undefined;
      throw error;
    }
  }

  async function gather(signal: AbortSignal) {
    const aliases: AliasListEntry[] = [];
    let now = clock.now();
    for await (const page of kms.listAliases(undefined, { signal })) {
      aliases.push(...page.items);
      now = page.serverTime ?? now;
    }
    // All of them, not only the stale ones: a description may show that another trust domain shares the alias segment.
    const targets = new Set(candidateAliases(aliases, names).flatMap(({ targetKeyId }) => targetKeyId ?? []));
    const keys = await mapBounded([...targets], concurrency, (keyId) => describe(keyId, signal));
    const known = keys.filter((key) => key !== undefined);
    return { aliases, keys: new Map(known.map((key) => [key.keyId, key])), now };
  }

  return {
    name: "prune stale aliases",
    intervalMs,
    async runOnce(signal) {
      const { aliases, keys, now } = await gather(signal);
      const rules = { names, now, thresholdMs, maxDeletions: maxDeletionsPerScan, isInUse };
      const plan = planStaleAliases({ aliases, keys }, rules);
      const isStillDue = async ({ keyId }: Disposal): Promise<boolean> => {
        const current: AliasListEntry[] = [];
        for await (const page of kms.listAliases(keyId, { signal })) current.push(...page.items);
        const key = await describe(keyId, signal);
        const facts = { aliases: current, keys: key === undefined ? new Map() : new Map([[key.keyId, key]]) };
        return planStaleAliases(facts, rules).dispose.length === 1;
      };
      return carryOut(plan, options, disposeThroughQueue(options, isStillDue));
    },
  };
}
