/** The table of key states, cell by cell, for operations on keys that do not sign. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AwsException, type EmulatorControl, manualClock } from "../../../src/kms-emulator/index.ts";
import type { StateCheckedOperation } from "../../../src/kms-emulator/operations/key-state.ts";
import type { KeyState } from "../../../src/kms-emulator/state/records.ts";
import { createTestEngine } from "../../fixtures/test-emulator.ts";
import { importMaterial, symmetricMaterial } from "./import-material.ts";
import { columns, reasonOf, table } from "./key-state-table.ts";

type Kind = "symmetric" | "external" | "hmac" | "agreement" | "ml-kem";

const inputs: Record<Kind, object> = {
  symmetric: {},
  external: { Origin: "EXTERNAL" },
  hmac: { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" },
  agreement: { KeySpec: "ECC_NIST_P256", KeyUsage: "KEY_AGREEMENT" },
  "ml-kem": { KeySpec: "ML_KEM_512", KeyUsage: "ENCAPSULATE_DECAPSULATE" },
};

interface Case {
  readonly kind: Kind;
  /** `prepared`: what was made with the key while it was Enabled. */
  readonly input: (KeyId: string, prepared: Prepared) => object;
  /** An answer that shows that the state let the call through. */
  readonly passes?: string;
}

interface Prepared {
  readonly CiphertextBlob?: Uint8Array;
  readonly GrantId: string;
  readonly PublicKey?: Uint8Array;
}

const message = Buffer.from("message");
const principal = "arn:aws:iam::111122223333:role/app";
const MacAlgorithm = "HMAC_SHA_256";

const cases: Partial<Record<StateCheckedOperation, Case>> = {
  Encrypt: { kind: "symmetric", input: (KeyId) => ({ KeyId, Plaintext: message }) },
  Decrypt: { kind: "symmetric", input: (KeyId, { CiphertextBlob }) => ({ KeyId, CiphertextBlob }) },
  ReEncrypt: {
    kind: "symmetric",
    input: (KeyId, { CiphertextBlob }) => ({ DestinationKeyId: KeyId, SourceKeyId: KeyId, CiphertextBlob }),
  },
  GenerateDataKey: { kind: "symmetric", input: (KeyId) => ({ KeyId, KeySpec: "AES_256" }) },
  GenerateDataKeyWithoutPlaintext: { kind: "symmetric", input: (KeyId) => ({ KeyId, NumberOfBytes: 7 }) },
  GenerateDataKeyPair: { kind: "symmetric", input: (KeyId) => ({ KeyId, KeyPairSpec: "ECC_NIST_P256" }) },
  GenerateDataKeyPairWithoutPlaintext: {
    kind: "symmetric",
    input: (KeyId) => ({ KeyId, KeyPairSpec: "ECC_NIST_P256" }),
  },
  GenerateMac: { kind: "hmac", input: (KeyId) => ({ KeyId, Message: message, MacAlgorithm }) },
  VerifyMac: {
    kind: "hmac",
    input: (KeyId) => ({ KeyId, Message: message, MacAlgorithm, Mac: message }),
    passes: "KMSInvalidMacException",
  },
  DeriveSharedSecret: {
    kind: "agreement",
    input: (KeyId, { PublicKey }) => ({ KeyId, KeyAgreementAlgorithm: "ECDH", PublicKey: PublicKey ?? message }),
  },
  Encapsulate: { kind: "ml-kem", input: (KeyId) => ({ KeyId, EncapsulationAlgorithm: "ML_KEM" }) },
  Decapsulate: {
    kind: "ml-kem",
    input: (KeyId) => ({ KeyId, EncapsulationAlgorithm: "ML_KEM", SharedSecretCiphertextBlob: Buffer.alloc(768) }),
  },
  ListKeyPolicies: { kind: "symmetric", input: (KeyId) => ({ KeyId }) },
  CreateGrant: {
    kind: "symmetric",
    input: (KeyId) => ({ KeyId, GranteePrincipal: principal, Operations: ["Encrypt"] }),
  },
  ListGrants: { kind: "symmetric", input: (KeyId) => ({ KeyId }) },
  RevokeGrant: { kind: "symmetric", input: (KeyId, { GrantId }) => ({ KeyId, GrantId }) },
  RetireGrant: { kind: "symmetric", input: (KeyId, { GrantId }) => ({ KeyId, GrantId }) },
  EnableKeyRotation: { kind: "symmetric", input: (KeyId) => ({ KeyId }) },
  DisableKeyRotation: { kind: "symmetric", input: (KeyId) => ({ KeyId }) },
  GetKeyRotationStatus: { kind: "symmetric", input: (KeyId) => ({ KeyId }) },
  RotateKeyOnDemand: { kind: "symmetric", input: (KeyId) => ({ KeyId }) },
  ListKeyRotations: { kind: "symmetric", input: (KeyId) => ({ KeyId }) },
  GetParametersForImport: {
    kind: "external",
    input: (KeyId) => ({ KeyId, WrappingAlgorithm: "RSAES_OAEP_SHA_256", WrappingKeySpec: "RSA_2048" }),
  },
  ImportKeyMaterial: {
    kind: "external",
    input: (KeyId) => ({
      KeyId,
      ImportToken: message,
      EncryptedKeyMaterial: message,
      ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE",
    }),
    passes: "InvalidImportTokenException",
  },
  DeleteImportedKeyMaterial: { kind: "external", input: (KeyId) => ({ KeyId }) },
};

/** Calls by name, as a test of tables does. */
type Call = (operation: string, input: object, options?: { region?: string }) => Promise<Record<string, unknown>>;
const callOf = (control: EmulatorControl): Call => control.call as never;

const home = "us-east-1";
const replica = "eu-west-1";

/** What a key can only give while it is Enabled. */
async function prepare(call: Call, kind: Kind, KeyId: string): Promise<Prepared> {
  const isSymmetric = kind === "symmetric";
  const grant = isSymmetric
    ? await call("CreateGrant", { KeyId, GranteePrincipal: principal, Operations: ["Encrypt"] })
    : { GrantId: "" };
  const encrypted = isSymmetric ? await call("Encrypt", { KeyId, Plaintext: message }) : {};
  const shown = kind === "agreement" ? await call("GetPublicKey", { KeyId }) : {};
  return { ...encrypted, ...shown, GrantId: String(grant.GrantId) };
}

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
