/** Running something again and again for months, on an injected clock. */
import { explain } from "../errors.ts";
import type { Clock, Logger } from "../ports.ts";
import type { Telemetry } from "../telemetry.ts";

/** What a run has to say for the log. */
export type TaskReport = Readonly<Record<string, number | string | boolean | undefined>>;

export interface Task {
  /** For the log, e.g. `refresh aliases`. */
  readonly name: string;
  /** What becomes of it when the task keeps failing; for the log. */
  readonly consequence: string;
  /** Whether it shows others that our keys are in use; then it cannot wait when it has not run for long. */
  readonly isRefresh?: boolean;
  readonly intervalMs: number;
  /** One run. Tests and tools call it themselves. */
  runOnce(signal: AbortSignal): Promise<TaskReport>;
}

/** A run that did not do everything: one line in the log, whatever the number of keys. */
export class TaskFailure extends Error {
  override readonly name = "TaskFailure";
  readonly keyIds: readonly string[];

  /** @param cause the last failure, as an example of all */
  constructor(what: string, keyIds: readonly string[], cause: unknown) {
    super(`${what}; the last failure: ${explain(cause)}`, { cause });
    this.keyIds = keyIds;
  }
}

export interface TaskContext {
  readonly clock: Clock;
  readonly log: Logger;
  /** The task first runs at a random moment within this time, so that a fleet does not start as one. */
  readonly startDelayMs: number;
  /** And not before this time has passed. Default: 0. */
  readonly earliestMs?: number | undefined;
  readonly signal: AbortSignal;
  readonly telemetry?: Telemetry | undefined;
}

const firstRetryMs = 60_000;

/** How soon after its n-th failure in a row a task is tried again: sooner than its interval, later each time. */
const retryMs = (failures: number, intervalMs: number) => Math.min(firstRetryMs * 4 ** (failures - 1), intervalMs);

/** To others our keys are as old as the clock says: a fleet that has slept for weeks must show itself when it wakes. */
async function sleepOrJump(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const ends = AbortSignal.any([signal, over.signal]);
  const jumped = clock.jumped?.(ends);
  jumped?.catch(() => undefined);
  const slept = clock.sleep(ms, ends);
  slept.catch(() => undefined);
  try {
    await Promise.race(jumped === undefined ? [slept] : [slept, jumped]);
  } finally {
    over.abort();
  }
}

/** Runs the task until the signal aborts. Never rejects. */
export async function runTask(task: Task, context: TaskContext): Promise<void> {
  const { clock, log, startDelayMs, earliestMs = 0, signal, telemetry } = context;
  let delayMs = earliestMs + clock.random() * startDelayMs;
  let failures = 0;
  for (;;) {
    try {
      await (task.isRefresh ? sleepOrJump(clock, delayMs, signal) : clock.sleep(delayMs, signal));
    } catch {
      return;
    }
    const startedAt = clock.elapsedMs();
    try {
      const report = await task.runOnce(signal);
      log.debug("Task done", { task: task.name, ...report });
      telemetry?.taskDone(task.name, clock.now());
      failures = 0;
      // Counted from the start of this run, so that a long run does not shift the rhythm.
      delayMs = Math.max(0, task.intervalMs - (clock.elapsedMs() - startedAt));
    } catch (error) {
      if (signal.aborted) return;
      failures++;
      delayMs = retryMs(failures, task.intervalMs);
      log.error("Task failed and will be tried again", {
        task: task.name,
        reason: explain(error),
        consequence: task.consequence,
        key_ids: error instanceof TaskFailure ? error.keyIds : undefined,
        next_attempt_in_s: Math.round(delayMs / 1000),
      });
    }
  }
}
