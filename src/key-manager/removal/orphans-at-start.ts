/** Keys that a start of this server finds out of use and need not leave to the scans. */

import type { DiscoveredKeys } from "../discovery/key-discovery.ts";
import type { KeyNames } from "../names.ts";
import type { KeyMetadata, KmsClient, Logger } from "../ports.ts";
import type { DeletionQueue } from "./deletion-queue.ts";
import type { DoomedKey } from "./key-deletion.ts";

export interface LeftoverOptions {
  readonly kms: KmsClient;
  readonly names: KeyNames;
  readonly log: Logger;
  readonly deletions: DeletionQueue;
  readonly pendingWindowInDays: number;
  /** Says what would go, and leaves it. */
  readonly dryRun: boolean;
  /** Marks a key as not in use any more. */
  readonly retire: (keyArn: string) => Promise<void>;
}

const createdAt = ({ creationDate }: KeyMetadata): number => creationDate?.getTime() ?? Number.NaN;

async function hasAlias(kms: KmsClient, keyArn: string, signal: AbortSignal): Promise<boolean> {
  for await (const { items } of kms.listAliases(keyArn, { signal })) if (items.length > 0) return true;
  return false;
}

/**
 * Schedules for deletion what earlier processes of this server left.
 *
 * Of several keys tagged for one id those that are older than the one its alias stands on are leftovers of a rotation. A
 * newer one may be a replica's generation that is just under way: it is left to the scans, like everything doubtful.
 */
export function disposeOfLeftovers({ entries, surplus = [], overdue = [] }: DiscoveredKeys, options: LeftoverOptions) {
  const { kms, names, log, deletions, pendingWindowInDays, dryRun, retire } = options;
  const used = new Set([...entries.values()].map(({ keyArn }) => keyArn));

  const doom = (keyArn: string, reason: string, before?: DoomedKey["before"]): void => {
    if (used.has(keyArn)) return;
    if (dryRun) log.info("Would be scheduled for deletion (prune_dry_run)", { key_arn: keyArn, rule: reason });
    else deletions.add({ kms, keyArn, aliasName: undefined, pendingWindowInDays, reason, isOwn: true, before });
  };

  for (const { key, chosen, isChosenByAlias } of surplus) {
    const isOlder = createdAt(key) < createdAt(chosen);
    if (!isChosenByAlias || !isOlder || names.trustDomainOf(key.description) === "foreign") continue;
    doom(key.arn, "superseded", async (signal) => {
      if (await hasAlias(kms, key.arn, signal)) return false;
      await retire(key.arn);
      return true;
    });
  }
  for (const { arn } of overdue) doom(arn, "overdue");
}
