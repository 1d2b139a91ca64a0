/** Acting on what a scan has found: within its cap, or, in a dry run, only in words. */
import type { KeyFacts } from "../../deletions.ts";
import { formatDuration } from "../../pace/duration.ts";
import type { TaskReport } from "../../pace/task.ts";
import type { LogFields } from "../../ports.ts";
import type { ScanSetup } from "../../setup.ts";
import { removalOfReplicas, whySetStays } from "../ownership.ts";
import type { DescribeKey } from "./key-describer.ts";
import type { LastUsage } from "./last-usage.ts";
import type { PruneCandidate, PrunePlan, PruneRules } from "./prune-plan.ts";
import { staleKeySet } from "./stale-key-set.ts";
import type { TagsOfTrustDomain } from "./tags-of-trust-domain.ts";

/** What all scans are given. */
export interface PruneOptions {
  readonly setup: ScanSetup;
  readonly describe: DescribeKey;
  readonly maxDeletionsPerScan: number;
  readonly dryRun: boolean;
  readonly intervalMs: number;
  /** What a scan finds is looked at again after this time; 0 = at once. */
  readonly confirmDelayMs: number;
  readonly pruneAmbiguousKeys: boolean;
  readonly lastUsage: LastUsage;
  readonly tags: TagsOfTrustDomain;
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
  setup: { names, ring, deletions, regions },
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
    lookedAfter: regions.lookedAfter,
  };
}

/** Hands one candidate to the queue. */
export type Prune = (candidate: PruneCandidate, fields: LogFields) => void;

const maxTold = 10;

/** Stale keys that cost their dollar for good unless a server with the right Regions, or an operator, comes. */
function tellOfReplicas({ spared }: PrunePlan, { log, regions: { lookedAfter } }: PruneOptions["setup"]): void {
  const kept = spared.flatMap(({ key, reason }) =>
    key !== undefined && reason === whySetStays(key, lookedAfter) ? [key] : [],
  );
  if (kept.length === 0) return;
  const commands = kept.flatMap((key) => removalOfReplicas(key, lookedAfter) ?? []);
  log.warn("Stale keys have members in Regions that this server does not look after: they are not pruned by it", {
    keys: kept.length,
    key_arns: kept.slice(0, maxTold).map(({ arn }) => arn),
    remedy: [
      "a server of the trust domain whose replica_regions name these Regions prunes them as a whole; if there is none, remove the replicas",
      ...commands.slice(0, maxTold),
    ].join(": "),
  });
}

/**
 * Carries out a plan, or says what it would do.
 *
 * What is found is looked at again only after a while that is longer than KMS may show what is past. A process that ends
 * meanwhile loses nothing but time: the next scan finds the same.
 */
export async function pruneAll(
  plan: PrunePlan,
  { setup, dryRun, maxDeletionsPerScan, confirmDelayMs }: PruneOptions,
  prune: Prune,
  signal: AbortSignal,
): Promise<TaskReport> {
  const { log, clock } = setup;
  for (const { keyId, aliasName, reason } of plan.spared) {
    log.debug("Left alone by pruning", { key_id: keyId, alias_name: aliasName, reason });
  }
  tellOfReplicas(plan, setup);
  if (plan.candidates.length > 0 && !dryRun && confirmDelayMs > 0) {
    log.info("Found stale keys: they are looked at again before they are scheduled for deletion", {
      found: plan.candidates.length,
      again_in: formatDuration(confirmDelayMs),
      key_arns: plan.candidates.slice(0, 10).map(({ keyArn }) => keyArn),
    });
    await clock.sleep(confirmDelayMs, signal);
  }
  for (const candidate of plan.candidates) {
    const fields = fieldsOf(candidate);
    if (dryRun) log.info("Would be scheduled for deletion (prune_dry_run)", fields);
    else prune(candidate, fields);
  }
  if (plan.deferred > 0) {
    log.error("More stale keys than max_deletions_per_scan: the rest is left for the next scan", {
      max_deletions_per_scan: maxDeletionsPerScan,
      left: plan.deferred,
    });
  }
  const { candidates, spared, deferred } = plan;
  return { found: candidates.length, spared: spared.length, deferred, dry_run: dryRun };
}

/** What a scan adds to a deletion. */
export interface ScanRules {
  /** A key that has signed within this time stays. */
  readonly thresholdMs: number;
  /** The scan's own rules, on the facts of that moment. */
  readonly mayStay: (facts: KeyFacts, now: Date) => string | undefined;
  /** Whether the alias that the key was found by is deleted after it. */
  readonly isAliasStale?: boolean;
}

/**
 * The way of all scans: the key is handed to the queue, which looks at it before each attempt.
 *
 * The key goes first and its alias after it: should we be stopped in between, the alias is deleted with the key, while a
 * key that had lost its alias might never be found.
 */
export function pruneThroughQueue(
  { setup, lastUsage, tags }: PruneOptions,
  rulesFor: (candidate: PruneCandidate) => ScanRules,
): Prune {
  const { kms, deletions, config, kmsTime, tags: tagging } = setup;
  return (candidate, fields) => {
    const { keyArn, aliasName, rule } = candidate;
    const { thresholdMs, mayStay, isAliasStale } = rulesFor(candidate);
    const wasActive = tags.get(keyArn)?.active;
    void deletions.schedule({
      kms,
      keyArn,
      aliasName,
      pendingWindowInDays: config.pendingWindowInDays,
      rule,
      details: fields,
      beforeLook: (signal) => tags.read(signal),
      mayStay(facts) {
        const reading = kmsTime.read(facts.now);
        return "doubt" in reading ? reading.doubt : mayStay(facts, reading.now);
      },
      set: staleKeySet(setup, thresholdMs),
      whyUsed: async ({ now }, signal) => now && lastUsage.whyUsed(keyArn, now, thresholdMs, signal),
      staleAlias: isAliasStale ? aliasName : undefined,
      // Of a key that was inactive before us there is no mark to take back.
      markInactive: wasActive === false ? undefined : (marked) => tagging.markInactive(marked),
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
