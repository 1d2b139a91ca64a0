/** A member of a multi-Region key in another Region than the row's. */
import type { KeyState } from "../ports.ts";
import type { ReplicaCondition } from "../regions/replica-state.ts";

/** As the server itself tells it in its metrics; `unknown`: it was not looked at, or KMS did not tell. */
export type MemberCondition = Exclude<ReplicaCondition, "failed"> | "unknown";

export const memberConditions = [
  "ready",
  "pending",
  "missing",
  "unusable",
  "conflict",
  "single-Region",
  "unknown",
] as const satisfies readonly MemberCondition[];

/** Whether someone has to look at it. */
export const isTroubled = ({ condition, isLookedAfter }: KeyMember): boolean =>
  condition === "conflict" || condition === "unusable" || (condition === "missing" && isLookedAfter);

export interface KeyMember {
  readonly region: string;
  /** What the key would be called there. Undefined for a single-Region key. */
  readonly arn: string | undefined;
  readonly role: "primary" | "replica";
  /** Whether the configuration's server makes and refreshes it. */
  readonly isLookedAfter: boolean;
  readonly condition: MemberCondition;
  readonly keyState: KeyState | undefined;
  readonly deletionDate: Date | undefined;
  readonly monthlyCostUsd: number;
  /** Why it is not ready. */
  readonly why: string | undefined;
}
