/** What the report is made of. */
import type { InventorySummary, InventoryTrouble } from "../../key-manager/inventory/inventory.ts";
import type { KeyRow } from "../../key-manager/inventory/key-row.ts";
import type { Finding as DoctorFinding } from "../doctor/finding.ts";
import type { History } from "./history.ts";

export type Severity = "bad" | "warning" | "unknown" | "fine";

/** Something to be looked at, with what to do. */
export interface Finding {
  readonly severity: Severity;
  readonly title: string;
  readonly detail: string;
  readonly remedy?: string | undefined;
}

/** What `doctor` says beside it. */
export interface DoctorReport {
  readonly findings: readonly DoctorFinding[];
  /** What it did not look at, and how it would. */
  readonly unchecked: readonly { readonly what: string; readonly how: string }[];
}

export interface ReportData {
  readonly trustDomain: string;
  readonly plugin: string;
  readonly account: string | undefined;
  readonly regions: readonly string[];
  readonly version: string;
  /** Rows of the trust domain, without those of others. */
  readonly rows: readonly KeyRow[];
  readonly summary: InventorySummary;
  readonly troubles: readonly InventoryTrouble[];
  /** Undefined where it was not asked. */
  readonly doctor: DoctorReport | undefined;
  /** Earlier runs, this one included; undefined where none are kept. */
  readonly history: History | undefined;
  readonly staleAliasMs: number;
  readonly pendingWindowDays: number;
}
