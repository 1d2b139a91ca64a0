/** Orphans that a start of this server finds and need not leave to the scans. */

import type { DeletionRule } from "../deletions.ts";
import type { DiscoveredKeys } from "../discovery/key-discovery.ts";
import type { KeyMetadata } from "../ports.ts";
import type { Setup } from "../setup.ts";
import { whyNotSpires } from "./ownership.ts";

const createdAt = ({ creationDate }: KeyMetadata): number => creationDate?.getTime() ?? Number.NaN;

/**
 * Schedules for deletion what earlier processes of this server left.
 *
 * Of several keys tagged for one id those that are older than the one its alias stands on were replaced. A newer one may
 * be a replica's generation that is just under way: it is left to the scans, like everything doubtful.
 */
export function scheduleOrphans({ entries, duplicates = [], reminded = [] }: DiscoveredKeys, setup: Setup): void {
  const { kms, names, log, deletions, config, tags } = setup;
  const used = new Set([...entries.values()].map(({ keyArn }) => keyArn));

  const schedule = (keyArn: string, rule: string, mayStay: DeletionRule): void => {
    if (used.has(keyArn)) return;
    if (config.upkeep?.pruneDryRun) {
      log.info("Would be scheduled for deletion (prune_dry_run)", { key_arn: keyArn, rule });
      return;
    }
    void deletions.schedule({
      kms,
      keyArn,
      aliasName: undefined,
      pendingWindowInDays: config.pendingWindowInDays,
      rule,
      isOwn: true,
      mayStay,
      markInactive: (marked) => tags.markInactive(marked),
    });
  };

  /** Neither rule is about a key that an alias stands on, but for the reminder. */
  const whyOrphanStays: DeletionRule = ({ key, aliases }) => {
    if (names.trustDomainOf(key.description) === "foreign") {
      return `its description ${JSON.stringify(key.description)} is not one of this server's keys`;
    }
    const alias = aliases.find(({ aliasName }) => !names.reminders?.isReminder(aliasName));
    return alias === undefined ? whyNotSpires(key) : `alias ${alias.aliasName} stands on the key`;
  };

  for (const { key, chosen, isChosenByAlias } of duplicates) {
    if (isChosenByAlias && createdAt(key) < createdAt(chosen)) schedule(key.arn, "superseded", whyOrphanStays);
  }
  for (const { arn } of reminded) schedule(arn, "overdue", whyOrphanStays);
}
