/** What was asked of AWS in each recording, by the name of its case: told by the name and the answers. */
import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { wrapMaterial } from "../operations/import-material.ts";
import type { Ask } from "./recording.ts";

type Answers = Readonly<Record<string, unknown>>;
/** `parameters`: what stands in brackets behind the name of the case, at the dashes. */
export type Replay = (ask: Ask, parameters: readonly string[]) => Promise<Answers>;

interface Metadata {
  readonly KeyId: string;
  readonly Arn: string;
}

async function makeKey(ask: Ask, input: object = {}, region?: string): Promise<Metadata> {
  const { KeyMetadata } = (await ask("CreateKey", input, region)) as { KeyMetadata?: Metadata };
  assert.ok(KeyMetadata, "the key is made");
  return KeyMetadata;
}

const plain = (text: string) => Buffer.from(text);
const signing = { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" };
const tagsOf = (...pairs: readonly (readonly [string, string])[]) =>
  pairs.map(([TagKey, TagValue]) => ({ TagKey, TagValue }));

type WrappingAlgorithm = Parameters<typeof wrapMaterial>[1];

async function importInto(
  ask: Ask,
  KeyId: string,
  material: Uint8Array,
  WrappingAlgorithm: WrappingAlgorithm,
): Promise<Answers> {
  const parameters = await ask("GetParametersForImport", { KeyId, WrappingAlgorithm, WrappingKeySpec: "RSA_2048" });
  const { PublicKey, ImportToken } = parameters as { PublicKey: Uint8Array; ImportToken: Uint8Array };
  const EncryptedKeyMaterial = wrapMaterial(PublicKey, WrappingAlgorithm, material);
  const ExpirationModel = "KEY_MATERIAL_DOES_NOT_EXPIRE";
  return ask("ImportKeyMaterial", { KeyId, ImportToken, EncryptedKeyMaterial, ExpirationModel });
}

const createInRegions: Replay = async (ask) => {
  const there = "eu-central-1";
  const { KeyId, Arn } = await makeKey(ask, { Description: "test key 123" }, there);
  return {
    "describe-key-diff-region-with-id": await ask("DescribeKey", { KeyId }),
    "describe-key-diff-region-with-arn": await ask("DescribeKey", { KeyId: Arn }),
    "describe-key-same-specific-region-with-id": await ask("DescribeKey", { KeyId }, there),
    "describe-key-same-specific-region-with-arn": await ask("DescribeKey", { KeyId: Arn }, there),
  };
};

const macs: Replay = async (ask, [KeySpec, MacAlgorithm]) => {
  const { KeyId } = await makeKey(ask, { KeySpec, KeyUsage: "GENERATE_VERIFY_MAC" });
  const Message = plain("some important message");
  const generated = await ask("GenerateMac", { KeyId, Message, MacAlgorithm });
  const check = { Message, MacAlgorithm, Mac: generated.Mac };
  return {
    "generate-mac": generated,
    "verify-mac": await ask("VerifyMac", { KeyId, ...check }),
    "generate-mac-invalid-key-id": await ask("GenerateMac", { KeyId: "key_id", Message, MacAlgorithm }),
    "verify-mac-invalid-key-id": await ask("VerifyMac", { KeyId: "key_id", ...check }),
  };
};

const importAsymmetric: Replay = async (ask) => {
  const created = await makeKey(ask, { ...signing, Origin: "EXTERNAL", Description: "test-key" });
  const { KeyId } = created;
  const before = await ask("DescribeKey", { KeyId });
  const pair = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    privateKeyEncoding: { type: "pkcs8", format: "der" },
    publicKeyEncoding: { type: "spki", format: "der" },
  });
  await importInto(ask, KeyId, pair.privateKey, "RSAES_OAEP_SHA_1");
  const after = await ask("DescribeKey", { KeyId });
  await ask("DeleteImportedKeyMaterial", { KeyId });
  return {
    "created-key": created,
    "describe-key-before-import": before,
    "describe-key-after-import": after,
    "describe-key-after-deleted-import": await ask("DescribeKey", { KeyId }),
  };
};

const importRsa: Replay = async (ask) => {
  const usage = { KeySpec: "RSA_4096", KeyUsage: "ENCRYPT_DECRYPT" };
  const { KeyId } = await makeKey(ask, { ...usage, Origin: "EXTERNAL", Description: "test-key" });
  const before = await ask("DescribeKey", { KeyId });
  const { rsaKeyPair } = await import("../../fixtures/rsa-keys/index.ts");
  const material = rsaKeyPair(4096).privateKey.export({ type: "pkcs8", format: "der" });
  await importInto(ask, KeyId, material, "RSA_AES_KEY_WRAP_SHA_256");
  const after = await ask("DescribeKey", { KeyId });
  await ask("DeleteImportedKeyMaterial", { KeyId });
  return {
    "describe-before-import": before,
    "import-key-material-response": after,
    "describe-key-after-deleted-import": await ask("DescribeKey", { KeyId }),
  };
};

const hmacBytes: Readonly<Record<string, number>> = { HMAC_224: 28, HMAC_256: 32, HMAC_384: 48, HMAC_512: 64 };

const importHmac: Replay = async (ask, [KeySpec = ""]) => {
  const usage = { KeySpec, KeyUsage: "GENERATE_VERIFY_MAC", Description: "test import hmac key" };
  const { KeyId } = await makeKey(ask, { ...usage, Origin: "EXTERNAL" });
  const before = await ask("DescribeKey", { KeyId });
  await importInto(ask, KeyId, randomBytes(hmacBytes[KeySpec] ?? 0), "RSAES_OAEP_SHA_256");
  const after = await ask("DescribeKey", { KeyId });
  const mac = { KeyId, Message: plain("hello"), MacAlgorithm: KeySpec.replace("HMAC_", "HMAC_SHA_") };
  const generated = await ask("GenerateMac", mac);
  const verified = await ask("VerifyMac", { ...mac, Mac: generated.Mac });
  await ask("DeleteImportedKeyMaterial", { KeyId });
  return {
    "describe-key-before-import": before,
    "describe-key-after-import": after,
    "generate-mac-response": generated,
    "verify-mac-response": verified,
    "describe-key-after-deleted-import": await ask("DescribeKey", { KeyId }),
  };
};

const agreement: Replay = async (ask) => {
  const { KeyId } = await makeKey(ask, { KeySpec: "ECC_NIST_P256", KeyUsage: "KEY_AGREEMENT" });
  const peer = await makeKey(ask, { KeySpec: "ECC_NIST_P256", KeyUsage: "KEY_AGREEMENT" });
  const { PublicKey } = await ask("GetPublicKey", { KeyId: peer.KeyId });
  const good = { KeyId, KeyAgreementAlgorithm: "ECDH", PublicKey };
  const rsa = await makeKey(ask, { KeySpec: "RSA_2048", KeyUsage: "ENCRYPT_DECRYPT" });
  return {
    response: await ask("DeriveSharedSecret", good),
    "response-invalid-key-usage": await ask("DeriveSharedSecret", {
      ...good,
      KeyId: (await makeKey(ask, signing)).KeyId,
    }),
    "response-invalid-key-spec": await ask("CreateKey", { KeySpec: "RSA_2048", KeyUsage: "KEY_AGREEMENT" }),
    "response-invalid-key-agreement-algo": await ask("DeriveSharedSecret", {
      ...good,
      KeyAgreementAlgorithm: "INVALID",
    }),
    "response-invalid-key": await ask("DeriveSharedSecret", { ...good, KeyId: rsa.KeyId }),
    "response-invalid-public-key": await ask("DeriveSharedSecret", { ...good, PublicKey: plain("InvalidPublicKey") }),
  };
};

/** Decrypts without the encryption context that `operation` was given. */
const withoutContext =
  (operation: string, input: object, member: string): Replay =>
  async (ask) => {
    const { KeyId } = await makeKey(ask);
    const made = await ask(operation, { KeyId, ...input, EncryptionContext: { context: "value" } });
    return {
      "decrypt-without-encryption-context": await ask("Decrypt", { KeyId, CiphertextBlob: made[member] }),
    };
  };

const dataKey =
  (operation: string, input: object, step: string): Replay =>
  async (ask) => {
    const { KeyId } = await makeKey(ask);
    return { [step]: await ask(operation, { KeyId, ...input }) };
  };

const listTags = async (ask: Ask, KeyId: string) => (await ask("ListResourceTags", { KeyId })).Tags;

const tagAndUntag: Replay = async (ask) => {
  const { KeyId } = await makeKey(ask);
  await ask("TagResource", { KeyId, Tags: tagsOf(["tag1", "value1"], ["tag2", "value2"]) });
  const tagged = await listTags(ask, KeyId);
  await ask("UntagResource", { KeyId, TagKeys: ["tag1", "tag2"] });
  return { "list-resource-tags": tagged, "list-resource-tags-after-all-untagged": await listTags(ask, KeyId) };
};

const updateTags: Replay = async (ask) => {
  const { KeyId } = await makeKey(ask, { Tags: tagsOf(["tag1", "value1"], ["tag2", "value2"], ["tag3", "value3"]) });
  const before = await listTags(ask, KeyId);
  const Tags = tagsOf(["tag2", "updated_value2"], ["tag4", "value4"], ["tag5", "value5"]);
  await ask("TagResource", { KeyId, Tags });
  return { "list-resource-tags": before, "list-resource-tags-after-tags-updated": await listTags(ask, KeyId) };
};

const badTagKeys: Readonly<Record<string, string>> = {
  lowercase_prefix: "aws:key1",
  uppercase_prefix: "AWS:key1",
  too_long_key: "a".repeat(129),
};

const rotationStatus: Replay = async (ask, [days]) => {
  const { KeyId } = await makeKey(ask);
  await ask("EnableKeyRotation", { KeyId, RotationPeriodInDays: Number(days) });
  return { match_response: await ask("GetKeyRotationStatus", { KeyId }) };
};

const rotateAndAsk: Replay = async (ask) => {
  const { KeyId } = await makeKey(ask);
  const rotated = await ask("RotateKeyOnDemand", { KeyId });
  return {
    "rotate-on-demand-response": rotated,
    "rotate-on-demand-aws-key": rotated,
    "rotation-status-response-after-rotation": await ask("GetKeyRotationStatus", { KeyId }),
  };
};

const rotateDisabled: Replay = async (ask) => {
  const { KeyId } = await makeKey(ask);
  await ask("DisableKey", { KeyId });
  return { "error-response": await ask("RotateKeyOnDemand", { KeyId }) };
};

const rotateWithoutMaterial: Replay = async (ask) => {
  const { KeyId } = await makeKey(ask, { Origin: "EXTERNAL" });
  return { "error-response": await ask("RotateKeyOnDemand", { KeyId }) };
};

const rotateWithoutPending: Replay = async (ask) => {
  const { KeyId } = await makeKey(ask, { Origin: "EXTERNAL" });
  await importInto(ask, KeyId, randomBytes(32), "RSAES_OAEP_SHA_256");
  return { "rotate-key-on-demand-invalid-state-error": await ask("RotateKeyOnDemand", { KeyId }) };
};

/** A ciphertext from before two rotations is still read; one with a changed byte is not. */
const decryptAcrossRotations: Replay = async (ask) => {
  const { KeyId } = await makeKey(ask);
  const { CiphertextBlob } = await ask("Encrypt", { KeyId, Plaintext: plain("secret") });
  for (let round = 0; round < 2; round += 1) await ask("RotateKeyOnDemand", { KeyId });
  const { Plaintext } = await ask("Decrypt", { CiphertextBlob });
  assert.equal(Buffer.from(Plaintext as Uint8Array).toString(), "secret");
  const bad = Buffer.from(CiphertextBlob as Uint8Array);
  bad[40] = (bad[40] ?? 0) ^ 1;
  return { "bad-ciphertext": await ask("Decrypt", { KeyId, CiphertextBlob: bad }) };
};

const reEncryptWrongKey: Replay = async (ask) => {
  const [source, other] = [await makeKey(ask), await makeKey(ask)];
  const { CiphertextBlob } = await ask("Encrypt", { KeyId: source.KeyId, Plaintext: plain("secret") });
  const input = { CiphertextBlob, SourceKeyId: other.KeyId, DestinationKeyId: other.KeyId };
  return { "incorrect-source-key": await ask("ReEncrypt", input) };
};

const describeByAlias: Replay = async (ask) => {
  const created = await makeKey(ask, { Description: "test - description" });
  await ask("CreateAlias", { AliasName: "alias/recorded", TargetKeyId: created.KeyId });
  const KeyId = created.Arn.replace(/key\/.*$/, "alias/recorded");
  return { "created-key": created, "describe-key": await ask("DescribeKey", { KeyId }) };
};

const replicateReplica: Replay = async (ask) => {
  const { KeyId } = await makeKey(ask, { MultiRegion: true });
  await ask("ReplicateKey", { KeyId, ReplicaRegion: "eu-west-1" });
  const answer = await ask("ReplicateKey", { KeyId, ReplicaRegion: "ap-south-1" }, "eu-west-1");
  return { "fail-replicate-non-primary-key": answer };
};

export const replays: Readonly<Record<string, Replay>> = {
  test_generate_random_invalid_number_of_bytes: async (ask, [count]) => ({
    "generate-random-exc": await ask("GenerateRandom", count === "None" ? {} : { NumberOfBytes: Number(count) }),
  }),
  test_encrypt_validate_plaintext_size_per_key_type: async (ask, [KeySpec, EncryptionAlgorithm]) => {
    const { KeyId } = await makeKey(ask, { KeySpec, KeyUsage: "ENCRYPT_DECRYPT" });
    const Plaintext = Buffer.alloc(600, 1);
    return { "generate-random-exc": await ask("Encrypt", { KeyId, Plaintext, EncryptionAlgorithm }) };
  },
  test_get_key_in_different_region: createInRegions,
  test_create_alias: async (ask) => ({
    create_alias: await ask("CreateAlias", { AliasName: "name", TargetKeyId: (await makeKey(ask)).KeyId }),
  }),
  test_hmac_create_key: async (ask) => {
    const usage = { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" };
    const created = await makeKey(ask, { ...usage, Description: "test key" });
    const described = await ask("DescribeKey", { KeyId: created.KeyId });
    return { "create-hmac-key": created, "describe-key": described.KeyMetadata };
  },
  test_generate_and_verify_mac: macs,
  test_invalid_generate_mac: async (ask, [KeySpec, MacAlgorithm]) => {
    const { KeyId } = await makeKey(ask, { KeySpec, KeyUsage: "GENERATE_VERIFY_MAC" });
    return { "generate-mac": await ask("GenerateMac", { KeyId, Message: plain("message"), MacAlgorithm }) };
  },
  test_import_key_asymmetric: importAsymmetric,
  test_import_key_rsa_aes_wrap_sha256: importRsa,
  test_import_key_hmac_keys: importHmac,
  test_plaintext_size_for_encrypt: async (ask) => {
    const input = { KeyId: (await makeKey(ask)).KeyId, Plaintext: Buffer.alloc(4097, 1) };
    return { "invalid-plaintext-size-encrypt": await ask("Encrypt", input) };
  },
  test_generate_data_key_pair_without_plaintext: dataKey(
    "GenerateDataKeyPairWithoutPlaintext",
    { KeyPairSpec: "RSA_2048" },
    "generate-data-key-pair-without-plaintext",
  ),
  test_generate_data_key_pair: dataKey("GenerateDataKeyPair", { KeyPairSpec: "RSA_2048" }, "generate-data-key-pair"),
  test_generate_data_key_without_plaintext: dataKey(
    "GenerateDataKeyWithoutPlaintext",
    { KeySpec: "AES_256" },
    "generate-data-key-without-plaintext",
  ),
  test_encryption_context_generate_data_key_without_plaintext: withoutContext(
    "GenerateDataKeyWithoutPlaintext",
    { KeySpec: "AES_256" },
    "CiphertextBlob",
  ),
  test_encryption_context_generate_data_key_pair: withoutContext(
    "GenerateDataKeyPair",
    { KeyPairSpec: "RSA_2048" },
    "PrivateKeyCiphertextBlob",
  ),
  test_get_parameters_for_import: async (ask) => {
    const { KeyId } = await makeKey(ask, signing);
    const input = { KeyId, WrappingAlgorithm: "RSAES_OAEP_SHA_256", WrappingKeySpec: "RSA_4096" };
    return { "response-error": await ask("GetParametersForImport", input) };
  },
  test_derive_shared_secret: agreement,
  test_tag_existing_key_and_untag: tagAndUntag,
  test_update_and_add_tags_on_tagged_key: updateTags,
  test_tag_key_with_duplicate_tag_keys_raises_error: async (ask) => {
    const { KeyId } = await makeKey(ask);
    return { "duplicate-tag-keys": await ask("TagResource", { KeyId, Tags: tagsOf(["t", "1"], ["t", "2"]) }) };
  },
  test_create_key_with_too_many_tags_raises_error: async (ask) => {
    const Tags = Array.from({ length: 51 }, (_, index) => ({ TagKey: `key${index}`, TagValue: "value" }));
    return { "invalid-tag-key": await ask("CreateKey", { Tags }) };
  },
  test_key_with_long_tag_value_raises_error: async (ask) => {
    const { KeyId } = await makeKey(ask);
    return { "too-long-tag-value": await ask("TagResource", { KeyId, Tags: tagsOf(["tag1", "v".repeat(257)]) }) };
  },
  test_create_key_with_invalid_tag_key: async (ask, [kind = ""]) => ({
    "invalid-tag-key": await ask("CreateKey", { Tags: tagsOf([badTagKeys[kind] ?? "", "value"]) }),
  }),
  test_key_enable_rotation_status: rotationStatus,
  test_rotate_key_on_demand_modifies_key_material: rotateAndAsk,
  test_rotate_key_on_demand_with_symmetric_key_and_automatic_rotation_disabled: rotateAndAsk,
  test_rotate_on_demand_returns_arn_for_key_id: rotateAndAsk,
  test_rotate_key_on_demand_raises_error_given_key_is_disabled: rotateDisabled,
  test_rotate_key_on_demand_raises_error_given_key_with_imported_key_material: rotateWithoutMaterial,
  test_rotate_key_on_demand_raises_for_no_pending_key_material: rotateWithoutPending,
  test_key_rotations_encryption_decryption: decryptAcrossRotations,
  test_re_encrypt_incorrect_source_key: reEncryptWrongKey,
  test_describe_with_alias_arn: describeByAlias,
  test_replicate_replica_key_should_fail: replicateReplica,
};
