/** Reports over made-up rows, for what has no need of an account. */

import type { ReportData } from "../../src/cli/report/report-data.ts";
import type { InventorySummary } from "../../src/key-manager/inventory/inventory.ts";
import type { KeyClass, KeyRow } from "../../src/key-manager/inventory/key-row.ts";
import { summaryOf } from "../../src/key-manager/inventory/summary.ts";

const dayMs = 86_400_000;
export const now = new Date("2026-11-26T12:00:00Z");
export const daysAgo = (days: number): Date => new Date(now.getTime() - days * dayMs);

export function row(more: Partial<KeyRow> & { readonly keyId: string }): KeyRow {
  const cls: KeyClass = more.class ?? "in use";
  const refreshedAt = "refreshedAt" in more ? more.refreshedAt : daysAgo(0.1);
  return {
    region: "us-east-2",
    account: "111122223333",
    arn: `arn:aws:kms:us-east-2:111122223333:key/${more.keyId}`,
    serverId: "server-1",
    isOwnServer: false,
    spireKeyId: "x509-CA-A",
    aliasName: undefined,
    aliasCreatedAt: undefined,
    aliases: [],
    description: "SPIRE_SERVER/example.org",
    keySpec: "ECC_NIST_P256",
    keyType: "ec-p256",
    keyState: "Enabled",
    createdAt: daysAgo(10),
    staleAt: refreshedAt && new Date(refreshedAt.getTime() + 14 * dayMs),
    deletionDate: undefined,
    monthlyCostUsd: 1,
    replicas: [],
    primaryRegion: undefined,
    members: [],
    why: "refreshed 2 hours ago",
    prune: undefined,
    ...more,
    class: cls,
    refreshedAt,
  };
}

/** A key that waits for its deletion, without anything that tells whose it was. */
export const pending = (keyId: string, deletionDate = daysAgo(-4)): KeyRow =>
  row({
    keyId,
    class: "pending deletion",
    keyState: "PendingDeletion",
    serverId: undefined,
    spireKeyId: undefined,
    refreshedAt: undefined,
    deletionDate,
    monthlyCostUsd: 0,
  });

export function summary(rows: readonly KeyRow[], more: Partial<InventorySummary> = {}): InventorySummary {
  const given = {
    now,
    foreignKeys: 0,
    namelessNotLookedAt: 0,
    membersNotLookedAt: 0,
    keysInRegion: rows.length,
    isComplete: true,
  };
  return summaryOf(rows, { ...given, ...more });
}

export function report(rows: readonly KeyRow[], more: Partial<ReportData> = {}): ReportData {
  return {
    trustDomain: "example.org",
    plugin: "aws_kms",
    account: "111122223333",
    regions: ["us-east-2"],
    version: "1.2.3",
    rows,
    summary: summary(rows),
    troubles: [],
    doctor: undefined,
    history: undefined,
    staleAliasMs: 14 * dayMs,
    pendingWindowDays: 7,
    ...more,
  };
}

/** Servers with eight keys each, all in use. */
export const manyRows = (servers: number, ids = 8): KeyRow[] =>
  Array.from({ length: servers * ids }, (_, index) =>
    row({
      keyId: `${String(index).padStart(8, "0")}-0000-4000-8000-000000000000`,
      serverId: `server-${Math.floor(index / ids)}`,
      spireKeyId: `id-${index % ids}`,
      createdAt: daysAgo(1 + ((index * 7) % 30)),
      aliasCreatedAt: daysAgo(31),
    }),
  );
