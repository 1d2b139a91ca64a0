/** The table of key states, cell by cell, for operations on keys that do not sign. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AwsException, type EmulatorControl, manualClock } from "../../../src/kms-emulator/index.ts";
import type { StateCheckedOperation } from "../../../src/kms-emulator/operations/key-state.ts";
import type { KeyState } from "../../../src/kms-emulator/state/records.ts";
import { createTestEngine } from "../../fixtures/test-emulator.ts";
import { importMaterial, symmetricMaterial } from "./import-material.ts";
import { type Call, cases, inputs, type Kind, message, prepare } from "./key-state-cases.ts";
import { columns, reasonOf, table } from "./key-state-table.ts";

const callOf = (control: EmulatorControl): Call => control.call as never;

const home = "us-east-1";
const replica = "eu-west-1";

/** A key of this kind in this state, the Region in which it is so, and what was prepared with it. */
async function keyIn(control: EmulatorControl, kind: Kind, state: KeyState) {
  const call = callOf(control);
  const isMultiRegion = state === "Creating" || state === "Updating" || state === "PendingReplicaDeletion";
  const origin = state === "PendingImport" ? { Origin: "EXTERNAL" } : {};
  const { KeyMetadata } = await call("CreateKey", { ...inputs[kind], ...origin, MultiRegion: isMultiRegion });
  const { KeyId, Arn } = KeyMetadata as { KeyId: string; Arn: string };
  if (state === "PendingImport") {
    return { KeyId, Arn, region: home, prepared: { GrantId: "0".repeat(64), CiphertextBlob: message } };
  }
  if (kind === "external") await importMaterial(control, KeyId, symmetricMaterial());
  const prepared = await prepare(call, kind, KeyId);
  if (state === "Disabled") await call("DisableKey", { KeyId });
  if (isMultiRegion) await call("ReplicateKey", { KeyId, ReplicaRegion: replica });
  if (state.endsWith("Deletion")) await call("ScheduleKeyDeletion", { KeyId });
  if (state === "Updating") {
    control.advance(2_000);
    if (kind === "external") await importMaterial(control, KeyId, lastMaterial(), { region: replica });
    await call("UpdatePrimaryRegion", { KeyId, PrimaryRegion: replica });
  }
  // The new primary is as much in Updating as the old one, and can do what only a primary can.
  if (state !== "Creating" && state !== "Updating") return { KeyId, Arn, region: home, prepared };
  const there = Arn.replace(home, replica);
  return { KeyId, Arn: there, region: replica, prepared };
}

/** The material that {@link symmetricMaterial} has given last. */
const lastMaterial = (): Uint8Array => symmetricMaterial(false);

/** Operations that name the grant of another Region, or whose key cannot be without material, have no such cell. */
const isImpossible = (operation: string, state: KeyState): boolean =>
  ((state === "Creating" || state === "Updating") && ["RevokeGrant", "RetireGrant"].includes(operation)) ||
  (state === "PendingImport" &&
    [
      "RevokeGrant",
      "RetireGrant",
      "EnableKeyRotation",
      "DisableKeyRotation",
      "GetKeyRotationStatus",
      "RotateKeyOnDemand",
    ].includes(operation));

async function expectCell(cell: string, state: KeyState, Arn: string, sent: Promise<unknown>, passes?: string) {
  const error = await sent.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error !== undefined) assert.ok(error instanceof AwsException, String(error));
  if (cell === "ok") return assert.equal(error?.code, passes, error?.message);
  const [code, text] =
    cell === "D"
      ? ["DisabledException", `${Arn} is disabled.`]
      : ["KMSInvalidStateException", `${Arn} is ${reasonOf(cell, state)}.`];
  assert.deepEqual([error?.code, error?.message], [code, text]);
}

describe("the state table of keys that do not sign", () => {
  for (const [state, column] of columns) {
    for (const [operation, { kind, input, passes }] of Object.entries(cases)) {
      if (isImpossible(operation, state)) continue;
      const cell = table[operation as StateCheckedOperation][column] ?? "";
      it(`${operation} of a key that is ${state}: ${cell}`, async () => {
        const { control } = createTestEngine({ clock: manualClock() });
        const { KeyId, Arn, region, prepared } = await keyIn(control, kind, state);
        const sent = callOf(control)(operation, input(KeyId, prepared), { region });
        await expectCell(cell, state, Arn, sent, passes);
      });
    }
  }
});
