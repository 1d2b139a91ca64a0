/** Acting on a disposal plan. */

import type { DeletionQueue } from "../deletion-queue.ts";
import type { Disposal, DisposalPlan } from "../disposal.ts";
import { formatDuration } from "../duration.ts";
import { messageOf } from "../errors.ts";
import type { KmsClient, LogFields, Logger } from "../ports.ts";
import type { TaskReport } from "./task.ts";

export interface DisposeOptions {
  readonly kms: KmsClient;
  readonly deletions: DeletionQueue;
  readonly log: Logger;
  readonly pendingWindowInDays: number;
  readonly maxDeletionsPerScan: number;
  readonly dryRun: boolean;
}

const hourMs = 3_600_000;

const fieldsOf = ({ rule, keyArn, aliasName, ageMs }: Disposal) => ({
  rule,
  key_arn: keyArn,
  alias_name: aliasName,
  age: formatDuration(Math.floor(ageMs / hourMs) * hourMs),
});

/**
 * Does away with one item, after a last look at it: the plan was made of facts that may have changed.
 *
 * @returns false when it is not due any more
 */
export type Dispose = (disposal: Disposal, fields: LogFields) => Promise<boolean>;

/** Carries out a plan, or says what it would do. */
export async function carryOut(
  plan: DisposalPlan,
  { log, dryRun, maxDeletionsPerScan }: Pick<DisposeOptions, "log" | "dryRun" | "maxDeletionsPerScan">,
  dispose: Dispose,
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
      if (!(await dispose(disposal, fields))) log.info("Not stale any more: left alone", fields);
    } catch (error) {
      failed++;
      log.error("Failed to dispose of a stale key", { ...fields, reason: messageOf(error) });
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

/** The way of the alias scans: a last look, the alias, then the queue. */
export function disposeThroughQueue(
  { kms, deletions, pendingWindowInDays }: DisposeOptions,
  isStillDue: (disposal: Disposal) => Promise<boolean>,
): Dispose {
  return async (disposal, fields) => {
    const { keyArn, aliasName, rule } = disposal;
    if (!(await isStillDue(disposal))) return false;
    // The alias first: should we be stopped in between, the key has no alias and the stale-key scan finds it.
    if (aliasName !== undefined) await kms.deleteAlias(aliasName);
    deletions.add({ kms, keyArn, aliasName, pendingWindowInDays, reason: rule, details: fields });
    return true;
  };
}
