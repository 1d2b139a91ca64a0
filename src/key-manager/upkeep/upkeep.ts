/** The background tasks of one configuration: keys in use are refreshed, stale ones and orphans pruned. */
import type { UpkeepConfig } from "../config.ts";
import { runTask, type Task } from "../pace/task.ts";
import { keyDescriber } from "../removal/scans/key-describer.ts";
import { LastUsage } from "../removal/scans/last-usage.ts";
import { pruneByTagsTask } from "../removal/scans/prune-by-tags.ts";
import { pruneStaleAliasesTask } from "../removal/scans/prune-stale-aliases.ts";
import { pruneStaleKeysTask } from "../removal/scans/prune-stale-keys.ts";
import { TagsOfTrustDomain } from "../removal/scans/tags-of-trust-domain.ts";
import type { Setup } from "../setup.ts";
import { refreshAliasesTask } from "./refresh-aliases.ts";
import { refreshTagsTask } from "./refresh-tags.ts";

export interface UpkeepOptions extends UpkeepConfig {
  readonly setup: Setup;
  /** Ids of keys that do not carry our tags yet; tag mode only. */
  readonly untagged?: ReadonlySet<string> | undefined;
  /** Whether a key of ours was not refreshed for so long that another server may soon take it for stale. */
  readonly isRefreshDue: boolean;
  readonly signal: AbortSignal;
}

/** The tasks with their rhythm, not yet running. */
export function upkeepTasks(options: UpkeepOptions): readonly Task[] {
  const { setup, aliasRefreshIntervalMs, staleKeyScanIntervalMs, staleKeyThresholdMs, staleAliasThresholdMs } = options;
  const { maxDeletionsPerScan, pruneDryRun: dryRun } = options;
  const prune = {
    setup,
    maxDeletionsPerScan,
    dryRun,
    confirmDelayMs: options.pruneConfirmDelayMs,
    pruneAmbiguousKeys: options.pruneAmbiguousKeys,
    describe: keyDescriber(setup.kms, setup.log),
    lastUsage: new LastUsage(setup),
    tags: new TagsOfTrustDomain(setup),
  };
  const { identity } = setup.tags;
  const aliases = [
    refreshAliasesTask(setup, aliasRefreshIntervalMs),
    pruneStaleAliasesTask({
      ...prune,
      intervalMs: options.staleAliasScanIntervalMs,
      thresholdMs: staleAliasThresholdMs,
    }),
  ];
  if (identity === undefined) {
    const intervalMs = staleKeyScanIntervalMs;
    return [...aliases, pruneStaleKeysTask({ ...prune, intervalMs, thresholdMs: staleKeyThresholdMs })];
  }
  return [
    ...aliases,
    refreshTagsTask(setup, identity, aliasRefreshIntervalMs, options.untagged),
    pruneByTagsTask({
      ...prune,
      identity,
      intervalMs: staleKeyScanIntervalMs,
      staleServerMs: staleAliasThresholdMs,
      staleKeyMs: staleKeyThresholdMs,
    }),
  ];
}

/** Starts the tasks; they end when the signal aborts. */
export function startUpkeep(options: UpkeepOptions, tasksOf = upkeepTasks): void {
  const { setup, signal, scanStartDelayMs, isRefreshDue } = options;
  const { clock, log, telemetry } = setup;
  for (const task of tasksOf(options)) {
    // A server that comes back after two weeks must refresh before another one's scan.
    const startDelayMs = task.isRefresh && isRefreshDue ? 0 : scanStartDelayMs;
    void runTask(task, { clock, log, signal, telemetry, startDelayMs });
  }
}
