/** Request quotas per account and Region. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { requestQuotas } from "../../../src/kms-emulator/engine/quotas.ts";
import { type EmulatorControl, EmulatorError, manualClock } from "../../../src/kms-emulator/index.ts";
import { createTestEngine } from "../../fixtures/test-emulator.ts";

/** docs/aws-kms-behaviour.md, "Quotas", written down apart from the emulator's table. */
const perSecond: Record<string, number> = {
  CreateKey: 5,
  CreateAlias: 5,
  UpdateAlias: 5,
  DeleteAlias: 15,
  DescribeKey: 2000,
  GetPublicKey: 2000,
  ListKeys: 500,
  ListAliases: 500,
  ListResourceTags: 2000,
  GetKeyLastUsage: 5,
  GetKeyPolicy: 1000,
  PutKeyPolicy: 15,
  ScheduleKeyDeletion: 15,
  CancelKeyDeletion: 5,
  EnableKey: 5,
  DisableKey: 5,
  TagResource: 10,
  UntagResource: 5,
  UpdateKeyDescription: 5,
  ReplicateKey: 5,
  UpdatePrimaryRegion: 5,
  CryptographicOperationsSymmetric: 50_000,
  CryptographicOperationsRSA: 500,
  CryptographicOperationsECC: 300,
  GenerateDataKeyPairRSA2048: 1,
  GenerateDataKeyPairRSA3072: 0.5,
  GenerateDataKeyPairRSA4096: 0.1,
  GenerateDataKeyPairECC: 25,
  ConnectCustomKeyStore: 5,
  CreateCustomKeyStore: 5,
  CreateGrant: 50,
  DeleteCustomKeyStore: 5,
  DeleteImportedKeyMaterial: 5,
  DescribeCustomKeyStores: 5,
  DisableKeyRotation: 5,
  DisconnectCustomKeyStore: 5,
  EnableKeyRotation: 15,
  GetKeyRotationStatus: 1000,
  GetParametersForImport: 0.25,
  ImportKeyMaterial: 15,
  ListGrants: 100,
  ListKeyPolicies: 100,
  ListKeyRotations: 100,
  ListRetirableGrants: 100,
  RetireGrant: 30,
  RevokeGrant: 30,
  RotateKeyOnDemand: 5,
  UpdateCustomKeyStore: 5,
};

const start = (quotas: boolean | Record<string, number> = true) =>
  createTestEngine({ clock: manualClock(), quotas }).control;

/** How many of `count` calls at one moment are let through. */
async function passed(control: EmulatorControl, operation: string, input: object, count: number, options = {}) {
  let through = 0;
  for (let index = 0; index < count; index += 1) {
    const isThrottled = await control.callByName(operation, input, options).then(
      () => false,
      (error: Error) => error.name === "ThrottlingException",
    );
    if (!isThrottled) through += 1;
  }
  return through;
}

async function keyId(control: EmulatorControl, KeySpec: string): Promise<string> {
  const made = (await control.callByName("CreateKey", { KeySpec, KeyUsage: "SIGN_VERIFY" })) as {
    KeyMetadata: { KeyId: string };
  };
  return made.KeyMetadata.KeyId;
}

describe("quotas", () => {
  it("are AWS's, as written down here", () => assert.deepEqual(requestQuotas, perSecond));

  const ofOneOperation = Object.entries(perSecond).filter(([name]) => !/^Crypto|^GenerateDataKeyPair/.test(name));
  for (const [operation, rate] of ofOneOperation) {
    it(`let ${rate} ${operation} a second through`, async () => {
      const control = start();
      const atOnce = Math.max(rate, 1);
      assert.equal(await passed(control, operation, { KeyId: "x" }, atOnce + 3), atOnce);
      control.advance((1000 * atOnce) / rate);
      assert.equal(await passed(control, operation, { KeyId: "x" }, atOnce + 3), atOnce);
    });
  }

  it("count data key pairs by their spec, and MACs and data keys with the symmetric ones", async () => {
    const control = start({ CryptographicOperationsSymmetric: 7 });
    const pair = (KeyPairSpec: string) => passed(control, "GenerateDataKeyPair", { KeyId: "x", KeyPairSpec }, 30);
    assert.deepEqual(
      [await pair("RSA_2048"), await pair("RSA_4096"), await pair("ECC_NIST_P256"), await pair("ECC_NIST_P384")],
      [1, 1, 25, 0],
    );
    const none = { KeyId: "x" };
    assert.equal(await passed(control, "GenerateDataKey", none, 3), 3);
    assert.equal(await passed(control, "GenerateMac", none, 3), 3);
    assert.equal(await passed(control, "GenerateRandom", {}, 3), 1);
  });

  it("count Sign and Verify together, RSA and ECC apart", async () => {
    const control = start();
    const [rsa, ec] = [await keyId(control, "RSA_2048"), await keyId(control, "ECC_NIST_P256")];
    const bad = { Message: "AAAA", MessageType: "DIGEST" };
    const signEc = { KeyId: ec, SigningAlgorithm: "ECDSA_SHA_256", ...bad };
    assert.equal(await passed(control, "Sign", signEc, 200), 200);
    assert.equal(await passed(control, "Verify", { ...signEc, Signature: "AAAA" }, 200), 100);
    const signRsa = { KeyId: rsa, SigningAlgorithm: "RSASSA_PSS_SHA_256", ...bad };
    assert.equal(await passed(control, "Sign", signRsa, 510), 500);
  });

  it("are per account and Region, and charged to the caller", async () => {
    const control = start({ ListKeys: 2 });
    assert.equal(await passed(control, "ListKeys", {}, 3), 2);
    assert.equal(await passed(control, "ListKeys", {}, 3, { region: "eu-west-1" }), 2);
    assert.equal(await passed(control, "ListKeys", {}, 3, { account: "444455556666" }), 2);
    assert.equal(await passed(control, "ListKeys", {}, 3), 0);
  });

  it("charge ReplicateKey two CreateKeys in the replica's Region", async () => {
    const control = start();
    const input = { KeyId: "x", ReplicaRegion: "eu-west-1" };
    assert.equal(await passed(control, "ReplicateKey", input, 4), 2);
    assert.equal(await passed(control, "CreateKey", {}, 5, { region: "eu-west-1" }), 1);
    assert.equal(await passed(control, "CreateKey", {}, 5), 5);
  });

  it("are off by default, and refuse nonsense", async () => {
    const control = createTestEngine({ clock: manualClock() }).control;
    assert.equal(await passed(control, "EnableKey", { KeyId: "x" }, 50), 50);
    assert.throws(() => start({ ListKeys: 0 }), EmulatorError);
  });
});
