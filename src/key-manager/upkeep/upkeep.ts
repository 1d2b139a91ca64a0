/** The background tasks of one configuration: keys in use are refreshed, stale ones and orphans pruned. */
import type { UpkeepConfig } from "../config.ts";
import type { Fleet } from "../fleet/fleet.ts";
import { runTask, type Task, type TaskContext, type TaskReport } from "../pace/task.ts";
import { keyDescriber } from "../removal/scans/key-describer.ts";
import { LastUsage } from "../removal/scans/last-usage.ts";
import { pruneByTagsTask } from "../removal/scans/prune-by-tags.ts";
import { pruneStaleAliasesTask } from "../removal/scans/prune-stale-aliases.ts";
import { pruneStaleKeysTask } from "../removal/scans/prune-stale-keys.ts";
import { TagsOfTrustDomain } from "../removal/scans/tags-of-trust-domain.ts";
import type { ScanSetup, Setup } from "../setup.ts";
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

export interface ScanOptions
  extends Pick<
    UpkeepConfig,
    | "staleAliasScanIntervalMs"
    | "staleAliasThresholdMs"
    | "staleKeyScanIntervalMs"
    | "staleKeyThresholdMs"
    | "pruneDryRun"
    | "pruneConfirmDelayMs"
    | "pruneAmbiguousKeys"
    | "maxDeletionsPerScan"
  > {
  readonly setup: ScanSetup;
}

/** The scans that prune: stale aliases first, then what has none, or in tag mode what tags show. */
export function scanTasks(options: ScanOptions): readonly Task[] {
  const { setup, staleKeyScanIntervalMs, staleKeyThresholdMs, staleAliasThresholdMs } = options;
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
  const { fleet, tags } = setup;
  const { identity } = tags;
  const aliases = pruneStaleAliasesTask({
    ...prune,
    intervalMs: options.staleAliasScanIntervalMs,
    thresholdMs: staleAliasThresholdMs,
    onAliases: (listed, now) => fleet.learn(listed, now),
  });
  if (identity === undefined) {
    const intervalMs = staleKeyScanIntervalMs;
    return [aliases, pruneStaleKeysTask({ ...prune, intervalMs, thresholdMs: staleKeyThresholdMs })];
  }
  const byTags = pruneByTagsTask({
    ...prune,
    identity,
    intervalMs: staleKeyScanIntervalMs,
    staleServerMs: staleAliasThresholdMs,
    staleKeyMs: staleKeyThresholdMs,
  });
  return [aliases, byTags];
}

/** The tasks with their rhythm, not yet running. */
export function upkeepTasks(options: UpkeepOptions): readonly Task[] {
  const { setup, aliasRefreshIntervalMs, untagged } = options;
  const { fleet, tags } = setup;
  const refreshes = [
    refreshAliasesTask(setup, aliasRefreshIntervalMs),
    ...setup.replication.tasks(aliasRefreshIntervalMs),
    ...(tags.identity === undefined ? [] : [refreshTagsTask(setup, tags.identity, aliasRefreshIntervalMs, untagged)]),
  ];
  return [...refreshes, ...scanTasks(options).map((scan) => inTurn(scan, fleet))];
}

/** A scan that one server of a large fleet makes for all. */
function inTurn(scan: Task, fleet: Fleet): Task {
  return {
    ...scan,
    async runOnce(signal): Promise<TaskReport> {
      if (!(await fleet.isOurTurn(scan.name, scan.intervalMs, signal))) {
        return { left_to_another_server: true };
      }
      return scan.runOnce(signal);
    },
  };
}

/** When a task may first run: at once, or at a moment that spreads a fleet that starts as one. */
function startOf(
  { isRefresh, intervalMs }: Task,
  { setup: { fleet }, isRefreshDue, scanStartDelayMs, aliasRefreshIntervalMs }: UpkeepOptions,
): Pick<TaskContext, "earliestMs" | "startDelayMs"> {
  const spreadMs = fleet.refreshSpreadMs;
  // A server that comes back after two weeks must refresh before another one's scan.
  if (isRefresh) {
    const withinMs = Math.max(scanStartDelayMs, Math.min(spreadMs, aliasRefreshIntervalMs));
    return { earliestMs: 0, startDelayMs: isRefreshDue ? 0 : withinMs };
  }
  // A whole fleet may have slept: none scans before all have had the time to refresh.
  return { earliestMs: Math.min(spreadMs, intervalMs / 2), startDelayMs: scanStartDelayMs };
}

/** Starts the tasks; they end when the signal aborts. */
export function startUpkeep(options: UpkeepOptions, tasksOf = upkeepTasks): void {
  const { setup, signal } = options;
  const { clock, log, telemetry } = setup;
  for (const task of tasksOf(options)) {
    void runTask(task, { clock, log, signal, telemetry, ...startOf(task, options) });
  }
}
