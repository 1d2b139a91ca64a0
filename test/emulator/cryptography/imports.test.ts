/** A user's own key as the key: wrapping, expiry, deletion, and the same material once more. */
import assert from "node:assert/strict";
import { createPrivateKey, generateKeyPairSync, randomBytes, sign, verify } from "node:crypto";
import { describe, it } from "node:test";
import { rsaKeyPair } from "../../fixtures/rsa-keys/index.ts";
import { bytes, makeKey, present, refuses, startCalls, textOf } from "../call.ts";
import { importMaterial, wrapMaterial } from "../operations/import-material.ts";

const dayMs = 86_400_000;
const external = { Origin: "EXTERNAL" } as const;
const pkcs8 = { type: "pkcs8", format: "der" } as const;

/** A private key of each spec, as its owner has it. */
const ownKeys = {
  ECC_NIST_P256: () => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export(pkcs8),
  ECC_NIST_P384: () => generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey.export(pkcs8),
  ECC_NIST_P521: () => generateKeyPairSync("ec", { namedCurve: "P-521" }).privateKey.export(pkcs8),
  ECC_SECG_P256K1: () => generateKeyPairSync("ec", { namedCurve: "secp256k1" }).privateKey.export(pkcs8),
  ECC_NIST_EDWARDS25519: () => generateKeyPairSync("ed25519").privateKey.export(pkcs8),
  RSA_2048: () => rsaKeyPair(2048).privateKey.export(pkcs8),
} as const;

const algorithms = {
  ECC_NIST_P256: "ECDSA_SHA_256",
  ECC_NIST_P384: "ECDSA_SHA_384",
  ECC_NIST_P521: "ECDSA_SHA_512",
  ECC_SECG_P256K1: "ECDSA_SHA_256",
  ECC_NIST_EDWARDS25519: "ED25519_SHA_512",
  RSA_2048: "RSASSA_PKCS1_V1_5_SHA_256",
} as const;

describe("an imported private key", () => {
  for (const KeySpec of Object.keys(ownKeys) as (keyof typeof ownKeys)[]) {
    it(`of ${KeySpec} signs here as it signs at home`, async () => {
      const { call, control } = startCalls();
      const { KeyId } = await makeKey(call, { KeySpec, KeyUsage: "SIGN_VERIFY", ...external });
      const der = ownKeys[KeySpec]();
      const imported = await importMaterial(control, KeyId, der);
      assert.ok(!("KeyMaterialId" in imported));
      const own = createPrivateKey({ key: der, ...pkcs8 });
      const { PublicKey } = await call("GetPublicKey", { KeyId });
      const SigningAlgorithm = algorithms[KeySpec];
      const { Signature } = await call("Sign", { KeyId, Message: bytes("m"), SigningAlgorithm });
      const hash = SigningAlgorithm.startsWith("ED") ? null : `sha${SigningAlgorithm.slice(-3)}`;
      const spki = { key: Buffer.from(present(PublicKey)), format: "der", type: "spki" } as const;
      assert.ok(verify(hash, bytes("m"), spki, present(Signature)));
      assert.ok(verify(hash, bytes("m"), spki, sign(hash, bytes("m"), own)), "it is the same key");
    });
  }

  it("of another spec, cut off, or wrapped otherwise is refused", async () => {
    const { call, control } = startCalls();
    const { KeyId } = await makeKey(call, { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY", ...external });
    const good = ownKeys.ECC_NIST_P256();
    for (const material of [ownKeys.ECC_NIST_P384(), good.subarray(3), randomBytes(32)]) {
      await refuses(importMaterial(control, KeyId, material), "IncorrectKeyMaterialException");
    }
    const wanted = { KeyId, WrappingAlgorithm: "RSAES_OAEP_SHA_1", WrappingKeySpec: "RSA_2048" } as const;
    const { PublicKey, ImportToken } = await call("GetParametersForImport", wanted);
    const wrapped = wrapMaterial(present(PublicKey), "RSAES_OAEP_SHA_256", good);
    const ExpirationModel = "KEY_MATERIAL_DOES_NOT_EXPIRE" as const;
    const input = { KeyId, ImportToken: present(ImportToken), ExpirationModel };
    await refuses(call("ImportKeyMaterial", { ...input, EncryptedKeyMaterial: wrapped }), "InvalidCiphertextException");
    await refuses(
      call("ImportKeyMaterial", { ...input, ImportToken: bytes("made up"), EncryptedKeyMaterial: wrapped }),
      "InvalidImportTokenException",
    );
    assert.equal((await call("DescribeKey", { KeyId })).KeyMetadata?.KeyState, "PendingImport");
  });
});

const wrappings = [
  "RSAES_OAEP_SHA_1",
  "RSAES_OAEP_SHA_256",
  "RSA_AES_KEY_WRAP_SHA_1",
  "RSA_AES_KEY_WRAP_SHA_256",
] as const;

describe("imported symmetric material", () => {
  for (const algorithm of wrappings) {
    it(`wrapped with ${algorithm} encrypts`, async () => {
      const { call, control } = startCalls();
      const { KeyId, Arn } = await makeKey(call, external);
      const { KeyMaterialId, KeyId: named } = await importMaterial(control, KeyId, randomBytes(32), { algorithm });
      assert.equal(named, Arn);
      assert.match(String(KeyMaterialId), /^[0-9a-f]{64}$/);
      const { CiphertextBlob } = await call("Encrypt", { KeyId, Plaintext: bytes("s") });
      const opened = await call("Decrypt", { CiphertextBlob });
      assert.deepEqual([textOf(opened.Plaintext), opened.KeyMaterialId], ["s", KeyMaterialId]);
    });
  }

  it("comes back only as it was, and old ciphertexts with it", async () => {
    const { call, control } = startCalls();
    const { KeyId, Arn } = await makeKey(call, external);
    const material = randomBytes(32);
    const { KeyMaterialId } = await importMaterial(control, KeyId, material);
    const { CiphertextBlob } = await call("Encrypt", { KeyId, Plaintext: bytes("s") });
    assert.deepEqual(await call("DeleteImportedKeyMaterial", { KeyId }), { KeyId: Arn, KeyMaterialId });
    for (const named of [{}, { KeyId }]) {
      const sent = call("Decrypt", { CiphertextBlob, ...named });
      await refuses(sent, "KMSInvalidStateException", `${Arn} is pending import.`);
    }
    await refuses(importMaterial(control, KeyId, randomBytes(32)), "IncorrectKeyMaterialException");
    await importMaterial(control, KeyId, material);
    assert.equal(textOf((await call("Decrypt", { CiphertextBlob })).Plaintext), "s");
    assert.deepEqual(await call("DeleteImportedKeyMaterial", { KeyId }), { KeyId: Arn, KeyMaterialId });
    assert.deepEqual(await call("DeleteImportedKeyMaterial", { KeyId }), { KeyId: Arn, KeyMaterialId }, "no effect");
  });

  it("expires at its date, and a token after a day", async () => {
    const { call, control } = startCalls();
    const { KeyId } = await makeKey(call, external);
    const material = randomBytes(32);
    const ValidTo = new Date(control.now().getTime() + 10 * dayMs);
    await importMaterial(control, KeyId, material, { input: { ExpirationModel: "KEY_MATERIAL_EXPIRES", ValidTo } });
    const before = (await call("DescribeKey", { KeyId })).KeyMetadata;
    assert.deepEqual(
      [before?.ExpirationModel, before?.ValidTo, before?.KeyState],
      ["KEY_MATERIAL_EXPIRES", ValidTo, "Enabled"],
    );
    control.advance(10 * dayMs - 1);
    assert.equal((await call("DescribeKey", { KeyId })).KeyMetadata?.KeyState, "Enabled");
    control.advance(1);
    const after = (await call("DescribeKey", { KeyId })).KeyMetadata;
    assert.deepEqual([after?.KeyState, after?.ExpirationModel, after?.Enabled], ["PendingImport", undefined, false]);
    const wanted = { KeyId, WrappingAlgorithm: "RSAES_OAEP_SHA_256", WrappingKeySpec: "RSA_2048" } as const;
    const parameters = await call("GetParametersForImport", wanted);
    assert.equal(parameters.ParametersValidTo?.getTime(), control.now().getTime() + dayMs);
    control.advance(dayMs);
    const input = {
      KeyId,
      ImportToken: present(parameters.ImportToken),
      EncryptedKeyMaterial: wrapMaterial(present(parameters.PublicKey), "RSAES_OAEP_SHA_256", material),
      ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE",
    } as const;
    await refuses(call("ImportKeyMaterial", input), "ExpiredImportTokenException");
  });

  it("needs an expiration that makes sense", async () => {
    const { call, control } = startCalls();
    const { KeyId } = await makeKey(call, external);
    const at = (days: number) => new Date(control.now().getTime() + days * dayMs);
    const expires = "KEY_MATERIAL_EXPIRES";
    const wrong = [
      { ExpirationModel: undefined },
      { ExpirationModel: expires },
      { ExpirationModel: expires, ValidTo: at(-1) },
      { ExpirationModel: expires, ValidTo: at(366) },
      { ValidTo: at(1) },
    ];
    for (const input of wrong) {
      await refuses(importMaterial(control, KeyId, randomBytes(32), { input }), "ValidationException");
    }
  });

  it("is rotated to once it is there, and deleted by its id", async () => {
    const { call, control } = startCalls();
    const { KeyId, Arn } = await makeKey(call, external);
    const [old, next] = [randomBytes(32), randomBytes(32)];
    const first = await importMaterial(control, KeyId, old);
    const { CiphertextBlob } = await call("Encrypt", { KeyId, Plaintext: bytes("s") });
    const fresh = { ImportType: "NEW_KEY_MATERIAL", KeyMaterialDescription: "second" };
    const second = await importMaterial(control, KeyId, next, { input: fresh });
    await refuses(
      importMaterial(control, KeyId, randomBytes(32), { input: fresh }),
      "KMSInvalidStateException",
      /cannot be imported .* is pending rotation\.$/,
    );
    assert.deepEqual(await call("RotateKeyOnDemand", { KeyId }), { KeyId: Arn });
    const all = await call("ListKeyRotations", { KeyId, IncludeKeyMaterial: "ALL_KEY_MATERIAL" });
    assert.deepEqual(
      all.Rotations?.map((entry) => [
        entry.KeyMaterialId,
        entry.KeyMaterialState,
        entry.RotationType,
        entry.ImportState,
      ]),
      [
        [first.KeyMaterialId, "NON_CURRENT", undefined, "IMPORTED"],
        [second.KeyMaterialId, "CURRENT", "ON_DEMAND", "IMPORTED"],
      ],
    );
    assert.equal(all.Rotations?.[1]?.KeyMaterialDescription, "second");
    assert.equal(textOf((await call("Decrypt", { CiphertextBlob })).Plaintext), "s");
    await call("DeleteImportedKeyMaterial", { KeyId, KeyMaterialId: String(first.KeyMaterialId) });
    assert.equal((await call("DescribeKey", { KeyId })).KeyMetadata?.KeyState, "PendingImport");
    await importMaterial(control, KeyId, old, { input: { KeyMaterialId: first.KeyMaterialId } });
    assert.equal((await call("DescribeKey", { KeyId })).KeyMetadata?.KeyState, "Enabled");
  });

  it("is imported into each Region of a multi-Region key before the key is used or rotated there", async () => {
    const { call, control } = startCalls();
    const there = { region: "eu-west-1" };
    const { KeyId } = await makeKey(call, { ...external, MultiRegion: true });
    const [old, next] = [randomBytes(32), randomBytes(32)];
    await importMaterial(control, KeyId, old);
    await call("ReplicateKey", { KeyId, ReplicaRegion: there.region });
    control.advance(2_000);
    assert.equal((await call("DescribeKey", { KeyId }, there)).KeyMetadata?.KeyState, "PendingImport");
    await importMaterial(control, KeyId, old, there);
    const { CiphertextBlob } = await call("Encrypt", { KeyId, Plaintext: bytes("s") });
    assert.equal(textOf((await call("Decrypt", { CiphertextBlob }, there)).Plaintext), "s");
    await call("DeleteImportedKeyMaterial", { KeyId });
    await call("DeleteImportedKeyMaterial", { KeyId }, there);
    await importMaterial(control, KeyId, old, there);
    assert.equal(textOf((await call("Decrypt", { CiphertextBlob }, there)).Plaintext), "s");
    await importMaterial(control, KeyId, old);
    await importMaterial(control, KeyId, next, { input: { ImportType: "NEW_KEY_MATERIAL" } });
    await refuses(call("RotateKeyOnDemand", { KeyId }), "KMSInvalidStateException");
    await importMaterial(control, KeyId, next, there);
    await call("RotateKeyOnDemand", { KeyId });
    const [here, remote] = [await call("DescribeKey", { KeyId }), await call("DescribeKey", { KeyId }, there)];
    assert.equal(here.KeyMetadata?.CurrentKeyMaterialId, remote.KeyMetadata?.CurrentKeyMaterialId);
  });
});
