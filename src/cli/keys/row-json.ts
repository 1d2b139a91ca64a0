/** A key as `--json` tells it: `spire-aws-kms/keys`, version 1. */
import { permissionOf } from "../../key-manager/errors.ts";
import type { InventorySummary, InventoryTrouble } from "../../key-manager/inventory/inventory.ts";
import type { KeyMember } from "../../key-manager/inventory/key-member.ts";
import { daysUntilStale, type KeyRow } from "../../key-manager/inventory/key-row.ts";
import type { ReplicaCost } from "./replica-cost.ts";

const timeOf = (date: Date | undefined): string | undefined => date?.toISOString();

const memberJson = (member: KeyMember): object => ({
  region: member.region,
  key_arn: member.arn,
  role: member.role,
  looked_after: member.isLookedAfter,
  condition: member.condition,
  key_state: member.keyState,
  deletion_date: timeOf(member.deletionDate),
  monthly_cost_usd: member.monthlyCostUsd,
  why: member.why,
});

export const replicaCostJson = ({ nowUsd, withAllUsd, withoutUsd }: ReplicaCost): object => ({
  now_usd: nowUsd,
  with_all_usd: withAllUsd,
  without_usd: withoutUsd,
});

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
    primary_region: row.primaryRegion,
    members: row.members.map(memberJson),
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
    members: {
      by_condition: summary.members,
      monthly_cost_usd: summary.membersMonthlyCostUsd,
      not_looked_at: summary.membersNotLookedAt,
    },
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
