/** Which operation works on a key in which state. */
import { AwsException } from "../exceptions.ts";
import type { KeyRecord, KeyState } from "../state/records.ts";
import { arnOf } from "../state/records.ts";

/** The table of docs/aws-kms-behaviour.md, "Key states", as data. */
type Verdict = "ok" | "disabled" | "pending" | "not pending" | "creating" | "updating";

interface Row extends Readonly<Record<KeyState, Verdict>> {}

/** Columns in the order of the page; both pending states share one. */
const row = (enabled: Verdict, disabled: Verdict, pending: Verdict, creating: Verdict, updating: Verdict): Row => ({
  Enabled: enabled,
  Disabled: disabled,
  PendingDeletion: pending,
  PendingReplicaDeletion: pending,
  Creating: creating,
  Updating: updating,
});

export const stateTable = {
  Sign: row("ok", "disabled", "pending", "creating", "ok"),
  Verify: row("ok", "disabled", "pending", "creating", "ok"),
  GetPublicKey: row("ok", "disabled", "pending", "creating", "ok"),
  DescribeKey: row("ok", "ok", "ok", "ok", "ok"),
  ListAliases: row("ok", "ok", "ok", "ok", "ok"),
  /** AWS's table does not have it yet; as the other operations that only read [I]. */
  GetKeyLastUsage: row("ok", "ok", "ok", "ok", "ok"),
  GetKeyPolicy: row("ok", "ok", "ok", "ok", "ok"),
  ListResourceTags: row("ok", "ok", "ok", "ok", "ok"),
  PutKeyPolicy: row("ok", "ok", "ok", "ok", "ok"),
  CreateAlias: row("ok", "ok", "pending", "ok", "ok"),
  /** State of the new target. */
  UpdateAlias: row("ok", "ok", "pending", "ok", "ok"),
  DeleteAlias: row("ok", "ok", "ok", "ok", "ok"),
  TagResource: row("ok", "ok", "pending", "ok", "ok"),
  UntagResource: row("ok", "ok", "pending", "ok", "ok"),
  UpdateKeyDescription: row("ok", "ok", "pending", "ok", "ok"),
  EnableKey: row("ok", "ok", "pending", "creating", "updating"),
  DisableKey: row("ok", "ok", "pending", "creating", "updating"),
  ScheduleKeyDeletion: row("ok", "ok", "pending", "ok", "updating"),
  CancelKeyDeletion: row("not pending", "not pending", "ok", "not pending", "not pending"),
  ReplicateKey: row("ok", "disabled", "pending", "creating", "updating"),
  UpdatePrimaryRegion: row("ok", "disabled", "pending", "creating", "ok"),
} as const satisfies Record<string, Row>;

export type StateCheckedOperation = keyof typeof stateTable;

function reason(verdict: Exclude<Verdict, "ok" | "disabled">, state: KeyState): string {
  if (verdict !== "pending") return verdict === "not pending" ? "not pending deletion" : verdict;
  return state === "PendingReplicaDeletion" ? "pending replica deletion" : "pending deletion";
}

/** Throws DisabledException or KMSInvalidStateException if `key` is in no state for `operation`. */
export function requireState(operation: StateCheckedOperation, key: KeyRecord): void {
  const verdict = stateTable[operation][key.state];
  if (verdict === "ok") return;
  const arn = arnOf(key);
  if (verdict === "disabled") throw new AwsException("DisabledException", `${arn} is disabled.`);
  throw new AwsException("KMSInvalidStateException", `${arn} is ${reason(verdict, key.state)}.`);
}
