/** Acting on what a scan has found: within its cap, or, in a dry run, only in words. */
import type { KeyFacts } from "../../deletions.ts";
import { explain } from "../../errors.ts";
import { formatDuration } from "../../pace/duration.ts";
import type { TaskReport } from "../../pace/task.ts";
import type { LogFields } from "../../ports.ts";
import type { Setup } from "../../setup.ts";
import type { DescribeKey } from "./key-describer.ts";
import type { LastUsage } from "./last-usage.ts";
import type { PruneCandidate, PrunePlan, PruneRules } from "./prune-plan.ts";

/** What all scans are given. */
export interface PruneOptions {
  readonly setup: Setup;
  readonly describe: DescribeKey;
  readonly maxDeletionsPerScan: number;
  readonly dryRun: boolean;
  readonly intervalMs: number;
  /** What a scan finds is looked at again after this time; 0 = at once. */
  readonly confirmDelayMs: number;
  readonly pruneAmbiguousKeys: boolean;
  readonly lastUsage: LastUsage;
}

const hourMs = 3_600_000;

const fieldsOf = ({ rule, keyArn, aliasName, ageMs }: PruneCandidate) => ({
  rule,
  key_arn: keyArn,
  alias_name: aliasName,
  age: formatDuration(Math.floor(ageMs / hourMs) * hourMs),
});

/** The part of the rules that is the same for all scans. */
export function commonRules({
  setup: { names, ring, deletions },
  maxDeletionsPerScan,
  pruneAmbiguousKeys,
}: PruneOptions): Omit<PruneRules, "now" | "thresholdMs"> {
  return {
    names,
    isInUse: (keyArn) => ring.uses(keyArn),
    maxDeletions: maxDeletionsPerScan,
    isWaiting: (keyArn) => deletions.has(keyArn),
    hasFailed: (keyArn) => deletions.hasFailed(keyArn),
    prunesAmbiguous: pruneAmbiguousKeys,
  };
}

/** Schedules one candidate for deletion, or sees to it that this is done. */
export type Prune = (candidate: PruneCandidate, fields: LogFields) => Promise<void>;

/**
 * Carries out a plan, or says what it would do.
 *
 * What is found is looked at again only after a while that is longer than KMS may show what is past. A process that ends
 * meanwhile loses nothing but time: the next scan finds the same.
 *
 * @param prune with a look of its own at the key as it is by then
 * @param beforeSecondLook reads again what that look goes by
 */
export async function pruneAll(
  plan: PrunePlan,
  { setup: { log, clock }, dryRun, maxDeletionsPerScan, confirmDelayMs }: PruneOptions,
  prune: Prune,
  signal: AbortSignal,
  beforeSecondLook: () => Promise<void> = async () => undefined,
): Promise<TaskReport> {
  for (const { keyId, aliasName, reason } of plan.spared) {
    log.debug("Left alone by pruning", { key_id: keyId, alias_name: aliasName, reason });
  }
  let failed = 0;
  if (plan.candidates.length > 0 && !dryRun && confirmDelayMs > 0) {
    log.info("Found stale keys: they are looked at again before they are scheduled for deletion", {
      found: plan.candidates.length,
      again_in: formatDuration(confirmDelayMs),
      key_arns: plan.candidates.slice(0, 10).map(({ keyArn }) => keyArn),
    });
    await clock.sleep(confirmDelayMs, signal);
    await beforeSecondLook();
  }
  for (const candidate of plan.candidates) {
    const fields = fieldsOf(candidate);
    if (dryRun) {
      log.info("Would be scheduled for deletion (prune_dry_run)", fields);
      continue;
    }
    try {
      signal.throwIfAborted();
      await prune(candidate, fields);
    } catch (error) {
      signal.throwIfAborted();
      failed++;
      log.error("Failed to prune a stale key; the next scan will try again", {
        ...fields,
        reason: explain(error),
      });
    }
  }
  if (plan.deferred > 0) {
    log.error("More stale keys than max_deletions_per_scan: the rest is left for the next scan", {
      max_deletions_per_scan: maxDeletionsPerScan,
      left: plan.deferred,
    });
  }
  const { candidates, spared, deferred } = plan;
  return { found: candidates.length, spared: spared.length, deferred, failed, dry_run: dryRun };
}

/**
 * The way of the alias scans: the key is handed to the queue, which looks at it before each attempt.
 *
 * The key goes first and its alias after it: should we be stopped in between, the alias is deleted with the key, while a
 * key that had lost its alias might never be found.
 *
 * @param mayStay the scan's own rules, on the facts of that moment
 */
export function pruneThroughQueue(
  { setup, lastUsage }: PruneOptions,
  thresholdMs: number,
  mayStay: (facts: KeyFacts, now: Date) => string | undefined,
): Prune {
  const { kms, deletions, config, tags, kmsTime } = setup;
  return async ({ keyArn, aliasName, rule }, fields) => {
    void deletions.schedule({
      kms,
      keyArn,
      aliasName,
      pendingWindowInDays: config.pendingWindowInDays,
      rule,
      details: fields,
      mayStay(facts) {
        const reading = kmsTime.read(facts.now);
        return "doubt" in reading ? reading.doubt : mayStay(facts, reading.now);
      },
      whyUsed: async ({ now }, signal) => now && lastUsage.whyUsed(keyArn, now, thresholdMs, signal),
      staleAlias: aliasName,
      markInactive: (marked) => tags.markInactive(marked),
    });
  };
}

/** Why a plan on the facts of one key does not have it; undefined when it has. */
export function whyNotPlanned({ candidates, spared }: PrunePlan): string | undefined {
  return candidates.length === 1 ? undefined : (spared[0]?.reason ?? "it is not stale any more");
}

/** A scan that cannot tell the time finds nothing, and says so. */
export function nothingFound({ setup: { log, limits } }: PruneOptions, scan: string, doubt: string): TaskReport {
  limits.run(`no time for ${scan}`, (more) =>
    log.warn("Nothing is pruned in this scan: ages cannot be told", { scan, reason: doubt, ...more }),
  );
  return { found: 0, doubt };
}
