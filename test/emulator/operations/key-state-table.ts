/** What AWS's page says of every operation on a key in every state, written down apart from the emulator's table. */
import type { StateCheckedOperation } from "../../../src/kms-emulator/operations/key-state.ts";
import type { KeyState } from "../../../src/kms-emulator/state/records.ts";

type Row = readonly [string, string, string, string, string, string];

/**
 * docs/aws-kms-behaviour.md, "Key states": ok, D(isabled), P(ending deletion), I(mport), N(ot pending), C(reating),
 * U(pdating). Columns: Enabled, Disabled, both pending states, PendingImport, Creating, Updating.
 */
export const table: Record<StateCheckedOperation, Row> = {
  Sign: ["ok", "D", "P", "I", "C", "ok"],
  Verify: ["ok", "D", "P", "I", "C", "ok"],
  GetPublicKey: ["ok", "D", "P", "I", "C", "ok"],
  Encrypt: ["ok", "D", "P", "I", "C", "ok"],
  Decrypt: ["ok", "D", "P", "I", "C", "ok"],
  ReEncrypt: ["ok", "D", "P", "I", "C", "ok"],
  GenerateDataKey: ["ok", "D", "P", "I", "C", "ok"],
  GenerateDataKeyWithoutPlaintext: ["ok", "D", "P", "I", "C", "ok"],
  GenerateDataKeyPair: ["ok", "D", "P", "I", "C", "ok"],
  GenerateDataKeyPairWithoutPlaintext: ["ok", "D", "P", "I", "C", "ok"],
  GenerateMac: ["ok", "D", "P", "I", "C", "ok"],
  VerifyMac: ["ok", "D", "P", "I", "C", "ok"],
  DeriveSharedSecret: ["ok", "D", "P", "I", "C", "ok"],
  Encapsulate: ["ok", "D", "P", "I", "C", "ok"],
  Decapsulate: ["ok", "D", "P", "I", "C", "ok"],
  DescribeKey: ["ok", "ok", "ok", "ok", "ok", "ok"],
  ListAliases: ["ok", "ok", "ok", "ok", "ok", "ok"],
  GetKeyLastUsage: ["ok", "ok", "ok", "ok", "ok", "ok"],
  GetKeyPolicy: ["ok", "ok", "ok", "ok", "ok", "ok"],
  ListKeyPolicies: ["ok", "ok", "ok", "ok", "ok", "ok"],
  ListResourceTags: ["ok", "ok", "ok", "ok", "ok", "ok"],
  PutKeyPolicy: ["ok", "ok", "ok", "ok", "ok", "ok"],
  CreateAlias: ["ok", "ok", "P", "ok", "ok", "ok"],
  UpdateAlias: ["ok", "ok", "P", "ok", "ok", "ok"],
  DeleteAlias: ["ok", "ok", "ok", "ok", "ok", "ok"],
  TagResource: ["ok", "ok", "P", "ok", "ok", "ok"],
  UntagResource: ["ok", "ok", "P", "ok", "ok", "ok"],
  UpdateKeyDescription: ["ok", "ok", "P", "ok", "ok", "ok"],
  EnableKey: ["ok", "ok", "P", "I", "C", "U"],
  DisableKey: ["ok", "ok", "P", "I", "C", "U"],
  ScheduleKeyDeletion: ["ok", "ok", "P", "ok", "ok", "U"],
  CancelKeyDeletion: ["N", "N", "ok", "N", "N", "N"],
  ReplicateKey: ["ok", "D", "P", "I", "C", "U"],
  UpdatePrimaryRegion: ["ok", "D", "P", "I", "C", "ok"],
  CreateGrant: ["ok", "D", "P", "I", "C", "ok"],
  ListGrants: ["ok", "ok", "ok", "ok", "ok", "ok"],
  RevokeGrant: ["ok", "ok", "ok", "ok", "ok", "ok"],
  RetireGrant: ["ok", "ok", "ok", "ok", "ok", "ok"],
  EnableKeyRotation: ["ok", "D", "P", "I", "C", "ok"],
  DisableKeyRotation: ["ok", "D", "P", "I", "C", "ok"],
  GetKeyRotationStatus: ["ok", "ok", "ok", "ok", "ok", "ok"],
  RotateKeyOnDemand: ["ok", "D", "P", "I", "C", "U"],
  ListKeyRotations: ["ok", "ok", "ok", "ok", "ok", "ok"],
  GetParametersForImport: ["ok", "ok", "P", "ok", "C", "U"],
  ImportKeyMaterial: ["ok", "ok", "P", "ok", "C", "ok"],
  DeleteImportedKeyMaterial: ["ok", "ok", "ok", "ok", "C", "U"],
};

export const columns: readonly (readonly [KeyState, number])[] = [
  ["Enabled", 0],
  ["Disabled", 1],
  ["PendingDeletion", 2],
  ["PendingReplicaDeletion", 2],
  ["PendingImport", 3],
  ["Creating", 4],
  ["Updating", 5],
];

/** What a cell's letter means in the text of the exception. */
export function reasonOf(cell: string, state: KeyState): string | undefined {
  const waiting = state === "PendingReplicaDeletion" ? "pending replica deletion" : "pending deletion";
  const reasons: Readonly<Record<string, string>> = {
    P: waiting,
    N: "not pending deletion",
    I: "pending import",
    C: "creating",
    U: "updating",
  };
  return reasons[cell];
}
