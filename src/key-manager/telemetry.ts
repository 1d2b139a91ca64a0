/** What the key manager and its adapters have to tell about themselves, beside the log. */
import type { KmsErrorCode } from "./ports.ts";

/** How one attempt of an AWS call ended. */
export type CallResult = "ok" | KmsErrorCode;

export interface Telemetry {
  /** One attempt of an AWS call. */
  awsCall(operation: string, result: CallResult, startedAt: Date, durationMs: number): void;
  /** An AWS call is tried again. */
  awsRetry(operation: string, reason: KmsErrorCode): void;
  /** Something happened that is counted, e.g. `keys_created`. */
  count(event: TelemetryEvent): void;
  /** A background task has succeeded. */
  taskDone(task: string, at: Date): void;
}

export type TelemetryEvent =
  | "keys_created"
  | "keys_reused"
  | "keys_scheduled_for_deletion"
  | "creation_ceiling_reached"
  | "credential_renewals_failed"
  | "identity_conflicts"
  | "wrong_signatures"
  | "signatures_hedged"
  | "signatures_failed_over"
  | "region_failovers"
  | "keys_replicated"
  | "replications_failed";

/** Numbers as they are at this moment. */
export interface TelemetryGauges {
  readonly liveKeys: number;
  readonly deletionsQueued: number;
  /** Of this server's keys, by Region and condition. */
  readonly replicas?: readonly { readonly region: string; readonly condition: string; readonly count: number }[];
  /** Whether KMS answers signatures, by Region; only with failover. */
  readonly regions?: readonly { readonly region: string; readonly isAnswering: boolean }[];
}

/** Counts nothing. */
export const noTelemetry: Telemetry = {
  awsCall: () => undefined,
  awsRetry: () => undefined,
  count: () => undefined,
  taskDone: () => undefined,
};
