/** Acting on a disposal plan. */

import { explain } from "../errors.ts";
import { formatDuration } from "../pace/duration.ts";
import { isKmsError, type KmsClient, type LogFields, type Logger } from "../ports.ts";
import type { Telemetry } from "../telemetry.ts";
import type { TaskReport } from "../upkeep/task.ts";
import type { DeletionQueue } from "./deletion-queue.ts";
import type { DescribeKey } from "./key-describer.ts";
import type { Disposal, DisposalPlan, DisposalRules } from "./prune-plan.ts";

export interface DisposeOptions {
  readonly kms: KmsClient;
  readonly describe: DescribeKey;
  readonly deletions: DeletionQueue;
  readonly log: Logger;
  readonly pendingWindowInDays: number;
  readonly maxDeletionsPerScan: number;
  readonly dryRun: boolean;
  /** Marks a key as not in use any more, where tags say so. */
  readonly retire: (keyArn: string) => Promise<void>;
  readonly telemetry?: Telemetry | undefined;
}

const hourMs = 3_600_000;

const fieldsOf = ({ rule, keyArn, aliasName, ageMs }: Disposal) => ({
  rule,
  key_arn: keyArn,
  alias_name: aliasName,
  age: formatDuration(Math.floor(ageMs / hourMs) * hourMs),
});

/** The part of the rules that is the same for all scans. */
export function commonRules({
  deletions,
  maxDeletionsPerScan,
}: Pick<DisposeOptions, "deletions" | "maxDeletionsPerScan">): Pick<
  DisposalRules,
  "maxDeletions" | "isWaiting" | "hasFailed"
> {
  return {
    maxDeletions: maxDeletionsPerScan,
    isWaiting: (keyArn) => deletions.has(keyArn),
    hasFailed: (keyArn) => deletions.hasFailed(keyArn),
  };
}

/** Does away with one item of a plan, or sees to it that this is done. */
export type Dispose = (disposal: Disposal, fields: LogFields) => Promise<void>;

/** Carries out a plan, or says what it would do. */
export async function carryOut(
  plan: DisposalPlan,
  { log, dryRun, maxDeletionsPerScan }: Pick<DisposeOptions, "log" | "dryRun" | "maxDeletionsPerScan">,
  dispose: Dispose,
  signal: AbortSignal,
): Promise<TaskReport> {
  for (const { keyId, aliasName, reason } of plan.spared) {
    log.debug("Left alone by pruning", { key_id: keyId, alias_name: aliasName, reason });
  }
  let failed = 0;
  for (const disposal of plan.dispose) {
    const fields = fieldsOf(disposal);
    if (dryRun) {
      log.info("Would be scheduled for deletion (prune_dry_run)", fields);
      continue;
    }
    try {
      signal.throwIfAborted();
      await dispose(disposal, fields);
    } catch (error) {
      signal.throwIfAborted();
      failed++;
      log.error("Failed to dispose of a stale key; the next scan will try again", {
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
  return { found: plan.dispose.length, spared: plan.spared.length, deferred: plan.deferred, failed, dry_run: dryRun };
}

/**
 * The way of the alias scans: the key is handed to the queue, which takes a last look before each attempt.
 *
 * The key goes first and its alias after it: should we be stopped in between, the alias is deleted with the key, while a
 * key that had lost its alias might be found by nobody.
 */
export function disposeThroughQueue(
  { kms, deletions, pendingWindowInDays, log, retire }: DisposeOptions,
  isStillDue: (disposal: Disposal, signal: AbortSignal) => Promise<boolean>,
): Dispose {
  async function removeAlias(aliasName: string, keyArn: string, signal: AbortSignal): Promise<void> {
    try {
      // Its server may have come back and put it on a new key.
      const target = await kms.describeKey(aliasName, { signal });
      if (target.arn === keyArn) await kms.deleteAlias(aliasName, { signal });
    } catch (error) {
      if (isKmsError(error, "NOT_FOUND")) return;
      if (!isKmsError(error, "ACCESS_DENIED")) throw error;
      log.warn("Failed to delete a stale alias: KMS deletes it with its key", {
        alias_name: aliasName,
        key_arn: keyArn,
        reason: explain(error),
      });
    }
  }

  return async (disposal, fields) => {
    const { keyArn, aliasName, rule } = disposal;
    deletions.add({
      kms,
      keyArn,
      aliasName,
      pendingWindowInDays,
      reason: rule,
      details: fields,
      async before(signal) {
        if (!(await isStillDue(disposal, signal))) return false;
        await retire(keyArn);
        return true;
      },
      after: aliasName === undefined ? undefined : (signal) => removeAlias(aliasName, keyArn, signal),
    });
  };
}
