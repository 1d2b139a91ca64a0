/** The background tasks of one configuration. */
import type { UpkeepConfig } from "../config.ts";
import type { DeletionQueue } from "../deletion-queue.ts";
import type { KeyManager } from "../key-manager.ts";
import type { KeyNames } from "../names.ts";
import type { Clock, KmsClient, Logger, TaggingClient } from "../ports.ts";
import type { TagIdentity } from "../spire-tags.ts";
import type { Telemetry } from "../telemetry.ts";
import { disposeAliasesTask } from "./dispose-aliases.ts";
import { disposeKeysTask } from "./dispose-keys.ts";
import { disposeKeysViaTagsTask } from "./dispose-keys-via-tags.ts";
import { keepActiveKeysTask } from "./keep-active-keys.ts";
import { refreshAliasesTask } from "./refresh-aliases.ts";
import { runTask, type Task } from "./task.ts";

export interface UpkeepOptions extends UpkeepConfig {
  readonly keyManager: KeyManager;
  readonly kms: KmsClient;
  readonly tagging: TaggingClient;
  /** Present in tag mode. */
  readonly tagIdentity: TagIdentity | undefined;
  readonly names: KeyNames;
  readonly deletions: DeletionQueue;
  readonly isInUse: (keyArn: string) => boolean;
  readonly pendingWindowInDays: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly telemetry?: Telemetry | undefined;
}

/** The tasks with their rhythm, not yet running. */
export function upkeepTasks(options: UpkeepOptions): readonly Task[] {
  const dispose = { ...options, dryRun: options.pruneDryRun };
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
          keepActiveKeysTask({ ...options, intervalMs: options.aliasRefreshIntervalMs }),
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
export function startUpkeep(options: UpkeepOptions): void {
  const { clock, log, signal, scanStartDelayMs, telemetry } = options;
  for (const task of upkeepTasks(options)) {
    void runTask(task, { clock, log, signal, telemetry, startDelayMs: scanStartDelayMs });
  }
}
