/** Which operation works on a key in which state. */
import { AwsException } from "../exceptions.ts";
import type { KeyRecord, KeyState } from "../state/records.ts";
import { arnOf } from "../state/records.ts";

/** The table of docs/aws-kms-behaviour.md, "Key states", as data. */
type Verdict = "ok" | "disabled" | "pending" | "not pending" | "import" | "creating" | "updating";

interface Row extends Readonly<Record<KeyState, Verdict>> {}

/** Columns in the order of the page; both pending states share one. */
const row = (
  enabled: Verdict,
  disabled: Verdict,
  pending: Verdict,
  pendingImport: Verdict,
  creating: Verdict,
  updating: Verdict,
): Row => ({
  Enabled: enabled,
  Disabled: disabled,
  PendingDeletion: pending,
  PendingReplicaDeletion: pending,
  PendingImport: pendingImport,
  Creating: creating,
  Updating: updating,
});

const cryptographic = row("ok", "disabled", "pending", "import", "creating", "ok");
const always = row("ok", "ok", "ok", "ok", "ok", "ok");
const unlessPending = row("ok", "ok", "pending", "ok", "ok", "ok");
const switching = row("ok", "ok", "pending", "import", "creating", "updating");
/** Of keys that have material of KMS's own; imported material is refused before. */
const rotation = row("ok", "disabled", "pending", "import", "creating", "ok");
const importing = row("ok", "ok", "pending", "ok", "creating", "updating");

export const stateTable = {
  Sign: cryptographic,
  Verify: cryptographic,
  GetPublicKey: cryptographic,
  Encrypt: cryptographic,
  Decrypt: cryptographic,
  ReEncrypt: cryptographic,
  GenerateDataKey: cryptographic,
  GenerateDataKeyWithoutPlaintext: cryptographic,
  GenerateDataKeyPair: cryptographic,
  GenerateDataKeyPairWithoutPlaintext: cryptographic,
  GenerateMac: cryptographic,
  VerifyMac: cryptographic,
  /** AWS's table does not have these three yet; as the other cryptographic operations [I]. */
  DeriveSharedSecret: cryptographic,
  Encapsulate: cryptographic,
  Decapsulate: cryptographic,
  DescribeKey: always,
  ListAliases: always,
  /** AWS's table does not have it yet; as the other operations that only read [I]. */
  GetKeyLastUsage: always,
  GetKeyPolicy: always,
  ListKeyPolicies: always,
  ListResourceTags: always,
  PutKeyPolicy: always,
  CreateAlias: unlessPending,
  /** State of the new target. */
  UpdateAlias: unlessPending,
  DeleteAlias: always,
  TagResource: unlessPending,
  UntagResource: unlessPending,
  UpdateKeyDescription: unlessPending,
  EnableKey: switching,
  DisableKey: switching,
  ScheduleKeyDeletion: row("ok", "ok", "pending", "ok", "ok", "updating"),
  CancelKeyDeletion: row("not pending", "not pending", "ok", "not pending", "not pending", "not pending"),
  ReplicateKey: row("ok", "disabled", "pending", "import", "creating", "updating"),
  UpdatePrimaryRegion: row("ok", "disabled", "pending", "import", "creating", "ok"),
  CreateGrant: cryptographic,
  ListGrants: always,
  RevokeGrant: always,
  RetireGrant: always,
  EnableKeyRotation: rotation,
  DisableKeyRotation: rotation,
  GetKeyRotationStatus: always,
  /** AWS's table does not have these two yet [I]. */
  RotateKeyOnDemand: row("ok", "disabled", "pending", "import", "creating", "updating"),
  ListKeyRotations: always,
  GetParametersForImport: importing,
  ImportKeyMaterial: row("ok", "ok", "pending", "ok", "creating", "ok"),
  DeleteImportedKeyMaterial: row("ok", "ok", "ok", "ok", "creating", "updating"),
} as const satisfies Record<string, Row>;

export type StateCheckedOperation = keyof typeof stateTable;

function reason(verdict: Exclude<Verdict, "ok" | "disabled">, state: KeyState): string {
  if (verdict === "not pending") return "not pending deletion";
  if (verdict === "import") return "pending import";
  if (verdict !== "pending") return verdict;
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
