/** The background tasks of one configuration. */

import type { UpkeepConfig } from "../config.ts";
import type { KeyManager } from "../key-manager.ts";
import type { KeyNames } from "../names.ts";
import type { Clock, KmsClient, Logger, TaggingClient } from "../ports.ts";
import type { DeletionQueue } from "../removal/deletion-queue.ts";
import { keyDescriber } from "../removal/key-describer.ts";
import { disposeKeysViaTagsTask } from "../removal/prune-by-tags.ts";
import { disposeAliasesTask } from "../removal/prune-stale-aliases.ts";
import { disposeKeysTask } from "../removal/prune-stale-keys.ts";
import type { TagIdentity } from "../tags/spire-tags.ts";
import type { Telemetry } from "../telemetry.ts";
import { refreshAliasesTask } from "./refresh-aliases.ts";
import { keepActiveKeysTask } from "./refresh-tags.ts";
import { runTask, type Task } from "./task.ts";

export interface UpkeepOptions extends UpkeepConfig {
  readonly keyManager: KeyManager;
  readonly kms: KmsClient;
  readonly tagging: TaggingClient;
  /** Present in tag mode. */
  readonly tagIdentity: TagIdentity | undefined;
  /** Ids of keys that do not carry our tags yet; tag mode only. */
  readonly untagged?: ReadonlySet<string> | undefined;
  readonly names: KeyNames;
  readonly deletions: DeletionQueue;
  readonly isInUse: (keyArn: string) => boolean;
  readonly retire: (keyArn: string) => Promise<void>;
  /** Whether a key of ours has not been kept alive for so long that another server may soon take it for stale. */
  readonly isNeglected: boolean;
  readonly pendingWindowInDays: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly telemetry?: Telemetry | undefined;
}

/** The tasks with their rhythm, not yet running. */
export function upkeepTasks(options: UpkeepOptions): readonly Task[] {
  const describe = keyDescriber(options.kms, options.log);
  const dispose = { ...options, describe, dryRun: options.pruneDryRun };
  const { tagIdentity: identity } = options;
  const prune =
    identity === undefined
      ? [
          disposeKeysTask({
            ...dispose,
            intervalMs: options.staleKeyScanIntervalMs,
            thresholdMs: options.staleKeyThresholdMs,
          }),
        ]
      : [
          keepActiveKeysTask({ ...options, identity, intervalMs: options.aliasRefreshIntervalMs }),
          disposeKeysViaTagsTask({
            ...dispose,
            identity,
            intervalMs: options.staleKeyScanIntervalMs,
            staleServerMs: options.staleAliasThresholdMs,
            staleKeyMs: options.staleKeyThresholdMs,
          }),
        ];
  return [
    refreshAliasesTask({ ...options, intervalMs: options.aliasRefreshIntervalMs }),
    disposeAliasesTask({
      ...dispose,
      intervalMs: options.staleAliasScanIntervalMs,
      thresholdMs: options.staleAliasThresholdMs,
    }),
    ...prune,
  ];
}

/** Starts the tasks; they end when the signal aborts. */
export function startUpkeep(options: UpkeepOptions, tasksOf = upkeepTasks): void {
  const { clock, log, signal, scanStartDelayMs, telemetry, isNeglected } = options;
  for (const task of tasksOf(options)) {
    // A server that comes back after two weeks must show that it is alive before another one's scan.
    const startDelayMs = task.keepsAlive && isNeglected ? 0 : scanStartDelayMs;
    void runTask(task, { clock, log, signal, telemetry, startDelayMs });
  }
}
