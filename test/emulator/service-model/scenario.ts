/** One day with every operation of KMS: each succeeds at least once, with the members that its answer can have. */
import { generateKeyPairSync, randomBytes } from "node:crypto";
import type { EmulatorControl } from "../../../src/kms-emulator/index.ts";
import { bytes, makeKey, present, type TypedCall } from "../call.ts";
import { importMaterial } from "../operations/import-material.ts";

const principal = "arn:aws:iam::111122223333:role/app";
const there = { region: "eu-west-1" };

async function keysAndAliases(call: TypedCall): Promise<void> {
  const { KeyId } = await makeKey(call, { Description: "d", Tags: [{ TagKey: "a", TagValue: "1" }] });
  const other = await makeKey(call);
  await call("CreateAlias", { AliasName: "alias/a", TargetKeyId: KeyId });
  await call("UpdateAlias", { AliasName: "alias/a", TargetKeyId: other.KeyId });
  await call("ListAliases", { Limit: 3 });
  await call("ListAliases", { KeyId: other.KeyId });
  await call("DeleteAlias", { AliasName: "alias/a" });
  await call("ListKeys", { Limit: 1, ResourceOwners: ["SELF"] });
  await call("UpdateKeyDescription", { KeyId, Description: "new" });
  await call("TagResource", { KeyId, Tags: [{ TagKey: "b", TagValue: "" }] });
  await call("ListResourceTags", { KeyId, Limit: 1 });
  await call("UntagResource", { KeyId, TagKeys: ["a"] });
  const { Policy } = await call("GetKeyPolicy", { KeyId });
  await call("PutKeyPolicy", { KeyId, Policy: present(Policy) });
  await call("ListKeyPolicies", { KeyId });
  await call("DisableKey", { KeyId });
  await call("EnableKey", { KeyId });
  await call("DescribeKey", { KeyId: "alias/aws/s3" });
  await call("GetKeyLastUsage", { KeyId });
  await call("ScheduleKeyDeletion", { KeyId });
  await call("DescribeKey", { KeyId });
  await call("CancelKeyDeletion", { KeyId });
}

async function symmetric(call: TypedCall): Promise<void> {
  const { KeyId } = await makeKey(call);
  const { CiphertextBlob } = await call("Encrypt", { KeyId, Plaintext: bytes("s") });
  await call("Decrypt", { CiphertextBlob });
  await call("ReEncrypt", { CiphertextBlob, DestinationKeyId: KeyId });
  await call("GenerateDataKey", { KeyId, KeySpec: "AES_256" });
  await call("GenerateDataKeyWithoutPlaintext", { KeyId, NumberOfBytes: 64 });
  await call("GenerateDataKeyPair", { KeyId, KeyPairSpec: "RSA_4096" });
  await call("GenerateDataKeyPairWithoutPlaintext", { KeyId, KeyPairSpec: "ML_KEM_768" });
  await call("GenerateRandom", { NumberOfBytes: 1024 });
  await call("GetKeyLastUsage", { KeyId });
  await call("EnableKeyRotation", { KeyId });
  await call("GetKeyRotationStatus", { KeyId });
  await call("DisableKeyRotation", { KeyId });
  await call("GetKeyRotationStatus", { KeyId });
  await call("RotateKeyOnDemand", { KeyId });
  await call("ListKeyRotations", { KeyId, IncludeKeyMaterial: "ALL_KEY_MATERIAL", Limit: 1 });
}

async function grants(call: TypedCall): Promise<void> {
  const { KeyId } = await makeKey(call);
  const input = { KeyId, GranteePrincipal: principal, Operations: ["Encrypt"], RetiringPrincipal: principal } as const;
  const first = await call("CreateGrant", {
    ...input,
    Name: "n",
    Constraints: { EncryptionContextEquals: { a: "b" } },
  });
  const second = await call("CreateGrant", input);
  await call("ListGrants", { KeyId, Limit: 1 });
  await call("ListRetirableGrants", { RetiringPrincipal: principal });
  await call("RevokeGrant", { KeyId, GrantId: present(first.GrantId) });
  await call("RetireGrant", { GrantToken: present(second.GrantToken) });
}

const signing = [
  ["RSA_2048", "RSASSA_PSS_SHA_512"],
  ["ECC_NIST_P521", "ECDSA_SHA_512"],
  ["ECC_SECG_P256K1", "ECDSA_SHA_256"],
  ["ECC_NIST_EDWARDS25519", "ED25519_SHA_512"],
  ["ML_DSA_87", "ML_DSA_SHAKE_256"],
] as const;

async function signatures(call: TypedCall): Promise<void> {
  for (const [KeySpec, SigningAlgorithm] of signing) {
    const { KeyId } = await makeKey(call, { KeySpec, KeyUsage: "SIGN_VERIFY" });
    await call("GetPublicKey", { KeyId });
    const { Signature } = await call("Sign", { KeyId, Message: bytes("m"), SigningAlgorithm });
    await call("Verify", { KeyId, Message: bytes("m"), SigningAlgorithm, Signature: present(Signature) });
  }
}

async function macsAndSecrets(call: TypedCall): Promise<void> {
  const hmac = await makeKey(call, { KeySpec: "HMAC_512", KeyUsage: "GENERATE_VERIFY_MAC" });
  const mac = { KeyId: hmac.KeyId, Message: bytes("m"), MacAlgorithm: "HMAC_SHA_512" } as const;
  const { Mac } = await call("GenerateMac", mac);
  await call("VerifyMac", { ...mac, Mac: present(Mac) });
  const ecdh = await makeKey(call, { KeySpec: "ECC_NIST_P384", KeyUsage: "KEY_AGREEMENT" });
  await call("GetPublicKey", { KeyId: ecdh.KeyId });
  const peer = generateKeyPairSync("ec", { namedCurve: "P-384" }).publicKey.export({ type: "spki", format: "der" });
  await call("DeriveSharedSecret", { KeyId: ecdh.KeyId, KeyAgreementAlgorithm: "ECDH", PublicKey: peer });
  const kem = await makeKey(call, { KeySpec: "ML_KEM_1024", KeyUsage: "ENCAPSULATE_DECAPSULATE" });
  const how = { KeyId: kem.KeyId, EncapsulationAlgorithm: "ML_KEM" } as const;
  await call("GetPublicKey", { KeyId: kem.KeyId });
  const { SharedSecretCiphertextBlob } = await call("Encapsulate", how);
  await call("Decapsulate", { ...how, SharedSecretCiphertextBlob: present(SharedSecretCiphertextBlob) });
}

async function imports(call: TypedCall, control: EmulatorControl): Promise<void> {
  const { KeyId } = await makeKey(call, { Origin: "EXTERNAL" });
  await call("GetParametersForImport", {
    KeyId,
    WrappingAlgorithm: "RSA_AES_KEY_WRAP_SHA_1",
    WrappingKeySpec: "RSA_4096",
  });
  const ValidTo = new Date(control.now().getTime() + 86_400_000);
  const expiring = { ExpirationModel: "KEY_MATERIAL_EXPIRES", ValidTo, KeyMaterialDescription: "mine" };
  await importMaterial(control, KeyId, randomBytes(32), { input: expiring });
  await call("DescribeKey", { KeyId });
  await call("ListKeyRotations", { KeyId, IncludeKeyMaterial: "ALL_KEY_MATERIAL" });
  await call("DeleteImportedKeyMaterial", { KeyId });
}

async function replicas(call: TypedCall, control: EmulatorControl): Promise<void> {
  const { KeyId } = await makeKey(call, { MultiRegion: true });
  const Tags = [{ TagKey: "a", TagValue: "1" }];
  await call("ReplicateKey", { KeyId, ReplicaRegion: there.region, Description: "there", Tags });
  control.advance(2_000);
  await call("DescribeKey", { KeyId }, there);
  await call("UpdatePrimaryRegion", { KeyId, PrimaryRegion: there.region });
  control.advance(2_000);
  await call("ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 }, there);
  await call("DescribeKey", { KeyId }, there);
}

export async function everyOperation(call: TypedCall, control: EmulatorControl): Promise<void> {
  await keysAndAliases(call);
  await symmetric(call);
  await grants(call);
  await signatures(call);
  await macsAndSecrets(call);
  await imports(call, control);
  await replicas(call, control);
  await call("DescribeCustomKeyStores", {});
}

/** Operations that cannot succeed here: there is no custom key store. */
export const neverAnswered: readonly string[] = [
  "ConnectCustomKeyStore",
  "CreateCustomKeyStore",
  "DeleteCustomKeyStore",
  "DisconnectCustomKeyStore",
  "UpdateCustomKeyStore",
];
