/** What is asked of keys that do not sign, in every state: the keys, the inputs, and what has to be made beforehand. */
import type { StateCheckedOperation } from "../../../src/kms-emulator/operations/key-state.ts";

/** Calls by name, as a test of tables does. */
export type Call = (
  operation: string,
  input: object,
  options?: { region?: string },
) => Promise<Record<string, unknown>>;

export type Kind = "symmetric" | "external" | "hmac" | "agreement" | "ml-kem";

export const inputs: Record<Kind, object> = {
  symmetric: {},
  external: { Origin: "EXTERNAL" },
  hmac: { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" },
  agreement: { KeySpec: "ECC_NIST_P256", KeyUsage: "KEY_AGREEMENT" },
  "ml-kem": { KeySpec: "ML_KEM_512", KeyUsage: "ENCAPSULATE_DECAPSULATE" },
};

export interface Case {
  readonly kind: Kind;
  /** `prepared`: what was made with the key while it was Enabled. */
  readonly input: (KeyId: string, prepared: Prepared) => object;
  /** An answer that shows that the state let the call through. */
  readonly passes?: string;
}

export interface Prepared {
  readonly CiphertextBlob?: Uint8Array;
  readonly GrantId: string;
  readonly PublicKey?: Uint8Array;
}

export const message = Buffer.from("message");
const principal = "arn:aws:iam::111122223333:role/app";
const MacAlgorithm = "HMAC_SHA_256";

export const cases: Partial<Record<StateCheckedOperation, Case>> = {
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

/** What a key can only give while it is Enabled. */
export async function prepare(call: Call, kind: Kind, KeyId: string): Promise<Prepared> {
  const isSymmetric = kind === "symmetric";
  const grant = isSymmetric
    ? await call("CreateGrant", { KeyId, GranteePrincipal: principal, Operations: ["Encrypt"] })
    : { GrantId: "" };
  const encrypted = isSymmetric ? await call("Encrypt", { KeyId, Plaintext: message }) : {};
  const shown = kind === "agreement" ? await call("GetPublicKey", { KeyId }) : {};
  return { ...encrypted, ...shown, GrantId: String(grant.GrantId) };
}
