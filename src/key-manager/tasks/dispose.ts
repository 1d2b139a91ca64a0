/** Acting on a disposal plan. */

import type { DeletionQueue } from "../deletion-queue.ts";
import type { Disposal, DisposalPlan } from "../disposal.ts";
import { formatDuration } from "../duration.ts";
import { messageOf } from "../errors.ts";
import type { KmsClient, Logger } from "../ports.ts";
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
 * Carries out a plan, or says what it would do.
 *
 * @param isStillDue asked about each item right before it goes: the plan was made of facts that may have changed
 */
export async function carryOut(
  plan: DisposalPlan,
  options: DisposeOptions,
  isStillDue: (disposal: Disposal) => Promise<boolean>,
): Promise<TaskReport> {
  const { log, dryRun, maxDeletionsPerScan } = options;
  for (const { keyId, aliasName, reason } of plan.spared) {
    log.debug("Left alone by pruning", { key_id: keyId, alias_name: aliasName, reason });
  }
  let failed = 0;
  for (const disposal of plan.dispose) {
    if (dryRun) {
      log.info("Would be scheduled for deletion (prune_dry_run)", fieldsOf(disposal));
      continue;
    }
    try {
      await dispose(disposal, options, isStillDue);
    } catch (error) {
      failed++;
      log.error("Failed to dispose of a stale key", { ...fieldsOf(disposal), reason: messageOf(error) });
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

async function dispose(
  disposal: Disposal,
  { kms, deletions, log, pendingWindowInDays }: DisposeOptions,
  isStillDue: (disposal: Disposal) => Promise<boolean>,
): Promise<void> {
  const { keyArn, aliasName, rule } = disposal;
  if (!(await isStillDue(disposal))) {
    log.info("Not stale any more: left alone", fieldsOf(disposal));
    return;
  }
  // The alias first: should we be stopped in between, the key has no alias and the stale-key scan finds it.
  if (aliasName !== undefined) await kms.deleteAlias(aliasName);
  deletions.add({ kms, keyArn, aliasName, pendingWindowInDays, reason: rule, details: fieldsOf(disposal) });
}
