/** A key as `--json` tells it: `spire-aws-kms/keys`, version 1. */
import { permissionOf } from "../../key-manager/errors.ts";
import type { InventorySummary, InventoryTrouble } from "../../key-manager/inventory/inventory.ts";
import { daysUntilStale, type KeyRow } from "../../key-manager/inventory/key-row.ts";

const timeOf = (date: Date | undefined): string | undefined => date?.toISOString();

export function rowJson(row: KeyRow, now: Date): object {
  return {
    region: row.region,
    account: row.account,
    key_id: row.keyId,
    key_arn: row.arn,
    server_id: row.serverId,
    own_server: row.isOwnServer,
    spire_key_id: row.spireKeyId,
    alias: row.aliasName,
    aliases: row.aliases,
    description: row.description,
    key_spec: row.keySpec,
    key_type: row.keyType,
    key_state: row.keyState,
    created_at: timeOf(row.createdAt),
    refreshed_at: timeOf(row.refreshedAt),
    stale_at: timeOf(row.staleAt),
    days_until_stale: daysUntilStale(row, now),
    deletion_date: timeOf(row.deletionDate),
    monthly_cost_usd: row.monthlyCostUsd,
    replicas: row.replicas,
    class: row.class,
    why: row.why,
    prune: row.prune,
  };
}

export function summaryJson(summary: InventorySummary): object {
  return {
    taken_at: timeOf(summary.now),
    complete: summary.isComplete,
    keys: summary.keys,
    servers: summary.servers,
    by_class: summary.byClass,
    monthly_cost_usd: summary.monthlyCostUsd,
    prunable: summary.prunable,
    foreign_keys: summary.foreignKeys,
    nameless_not_looked_at: summary.namelessNotLookedAt,
    keys_in_region: summary.keysInRegion,
  };
}

export const troubleJson = ({ error, consequence }: InventoryTrouble): object => ({
  permission: error.code === "ACCESS_DENIED" ? permissionOf(error) : undefined,
  operation: error.operation,
  error: error.awsName,
  message: error.message,
  consequence,
});
