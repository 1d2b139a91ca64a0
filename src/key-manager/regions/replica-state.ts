/** What is known of one key's replica in one Region; for the log, the metrics and whoever asks. */
import type { KeyMetadata } from "../ports.ts";

/**
 * `ready`: it can sign, and its alias stands. `pending`: it is being made, or is still to be. `failed`: it could not be made or
 * refreshed, and is tried again. `conflict`: its alias stands on another server's key. `unusable`: it is disabled or scheduled
 * for deletion, or has another public key. `missing`: the primary key is in another Region, whose server has not made it.
 * `single-Region`: the key was made before and gets no replica; the next rotation replaces it.
 */
export type ReplicaCondition = "ready" | "pending" | "failed" | "conflict" | "unusable" | "missing" | "single-Region";

export interface ReplicaState {
  /** SPIRE key id. */
  readonly keyId: string;
  /** Of the key in use at home. */
  readonly keyArn: string;
  readonly region: string;
  readonly condition: ReplicaCondition;
  /** Why it is not ready. */
  readonly reason?: string | undefined;
  readonly since: Date;
}

/** Why a replica that is there cannot sign, with the command that helps; undefined where it can, or soon will. */
export function troubleWithReplica({ keyState, arn }: KeyMetadata, region: string): string | undefined {
  switch (keyState) {
    case "Disabled":
      return `the replica is disabled; aws kms enable-key --region ${region} --key-id ${arn}`;
    case "PendingDeletion":
    case "PendingReplicaDeletion":
      return `the replica is scheduled for deletion; aws kms cancel-key-deletion --region ${region} --key-id ${arn}, then enable-key`;
    default:
      return undefined;
  }
}

const conditions: readonly ReplicaCondition[] = [
  "ready",
  "pending",
  "failed",
  "conflict",
  "unusable",
  "missing",
  "single-Region",
];

/** Numbers for metrics. */
export function countReplicas(
  states: readonly ReplicaState[],
): readonly { readonly region: string; readonly condition: ReplicaCondition; readonly count: number }[] {
  const counts = new Map<string, { region: string; condition: ReplicaCondition; count: number }>();
  for (const { region, condition } of states) {
    // A state that no key is in any more is told as well, or the last number of it would stand.
    for (const each of conditions) {
      const key = `${region} ${each}`;
      const known = counts.get(key) ?? { region, condition: each, count: 0 };
      if (each === condition) known.count++;
      counts.set(key, known);
    }
  }
  return [...counts.values()];
}
