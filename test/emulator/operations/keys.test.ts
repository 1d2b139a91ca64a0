/** Keys: making, describing, listing, deletion at its date. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import {
  CancelKeyDeletionCommand,
  CreateKeyCommand,
  type CreateKeyCommandInput,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  GetPublicKeyCommand,
  InvalidArnException,
  type KMSClient,
  KMSInvalidStateException,
  ListKeysCommand,
  NotFoundException,
  ScheduleKeyDeletionCommand,
  SignCommand,
  UpdateKeyDescriptionCommand,
} from "@aws-sdk/client-kms";
import { account, present, region, rejectsWith, startFixture } from "../fixture.ts";
import { createAlias, createKey, type Key } from "../key-fixture.ts";

const dayMs = 24 * 60 * 60 * 1000;

/** docs/aws-kms-behaviour.md, "Creating keys": what CreateKey refuses. */
const refusals: readonly { title: string; input: object; name: string; message?: string | RegExp }[] = [
  {
    title: "an asymmetric spec without usage",
    input: { KeySpec: "RSA_2048" },
    name: "ValidationException",
    message: "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.",
  },
  {
    title: "a usage that the spec does not have",
    input: { KeySpec: "ECC_NIST_P256", KeyUsage: "ENCRYPT_DECRYPT" },
    name: "ValidationException",
    message: "KeyUsage ENCRYPT_DECRYPT is not compatible with KeySpec ECC_NIST_P256",
  },
  {
    title: "secp256k1 for key agreement",
    input: { KeySpec: "ECC_SECG_P256K1", KeyUsage: "KEY_AGREEMENT" },
    name: "ValidationException",
    message: "KeyUsage KEY_AGREEMENT is not compatible with KeySpec ECC_SECG_P256K1",
  },
  {
    title: "both names of the spec [L]",
    input: { KeySpec: "RSA_2048", CustomerMasterKeySpec: "RSA_2048", KeyUsage: "SIGN_VERIFY" },
    name: "ValidationException",
  },
  {
    title: "an unknown spec",
    input: { KeySpec: "RSA_1024", KeyUsage: "SIGN_VERIFY" },
    name: "ValidationException",
    message:
      /^1 validation error detected: Value 'RSA_1024' at 'keySpec' failed to satisfy constraint: Member must satisfy enum value set: \[/,
  },
  {
    title: "a description of 8193 characters",
    input: { Description: "d".repeat(8193) },
    name: "ValidationException",
    message: /at 'description' failed to satisfy constraint: Member must have length less than or equal to 8192$/,
  },
  {
    title: "duplicate tag keys",
    input: { Tags: ["x", "y"].map((TagValue) => ({ TagKey: "a", TagValue })) },
    name: "TagException",
    message: "Duplicate tag keys",
  },
  {
    title: "a reserved tag key",
    input: { Tags: [{ TagKey: "AWS:x", TagValue: "" }] },
    name: "TagException",
    message: "Tags beginning with aws: are reserved",
  },
  {
    title: "51 tags",
    input: { Tags: Array.from({ length: 51 }, (_, index) => ({ TagKey: `k${index}`, TagValue: "" })) },
    name: "TagException",
    message: "Too many tags",
  },
  {
    title: "an over-long tag key and value",
    input: {
      Tags: [
        { TagKey: "ok", TagValue: "" },
        { TagKey: "k".repeat(129), TagValue: "v".repeat(257) },
      ],
    },
    name: "ValidationException",
    message:
      /^2 validation errors detected: Value 'k+' at 'tags\.2\.member\.tagKey' failed to satisfy constraint: Member must have length less than or equal to 128; Value 'v+' at 'tags\.2\.member\.tagValue' /,
  },
  {
    title: "a custom key store that does not exist",
    input: { Origin: "AWS_CLOUDHSM", CustomKeyStoreId: "cks-1234567890abcdef0" },
    name: "CustomKeyStoreNotFoundException",
  },
  {
    title: "ML-DSA with a usage that it is not for",
    input: { KeySpec: "ML_DSA_65", KeyUsage: "ENCRYPT_DECRYPT" },
    name: "ValidationException",
    message: "KeyUsage ENCRYPT_DECRYPT is not compatible with KeySpec ML_DSA_65",
  },
  {
    title: "SM2, which only Regions in China have",
    input: { KeySpec: "SM2", KeyUsage: "SIGN_VERIFY" },
    name: "UnsupportedOperationException",
  },
  {
    title: "a usage without a spec, which is then SYMMETRIC_DEFAULT",
    input: { KeyUsage: "SIGN_VERIFY", KeySpec: undefined },
    name: "ValidationException",
    message:
      "The operation failed because the KeyUsage value of the CMK is SIGN_VERIFY. To perform this operation, the KeyUsage value must be ENCRYPT_DECRYPT.",
  },
];

describe("CreateKey", () => {
  for (const { title, input, name, message } of refusals) {
    it(`refuses ${title}`, async (t) => {
      const { kms, emulator } = await startFixture(t);
      await rejectsWith(kms.send(new CreateKeyCommand(input as CreateKeyCommandInput)), name, message);
      assert.deepEqual(present(await kms.send(new ListKeysCommand({}))).Keys, [], "nothing is left behind");
      assert.equal(emulator.control.journal().length, 2);
    });
  }

  it("makes a symmetric encryption key by default", async (t) => {
    const { kms } = await startFixture(t);
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    const metadata = present(KeyMetadata);
    assert.match(present(metadata.CurrentKeyMaterialId), /^[0-9a-f]{64}$/);
    assert.equal(metadata.KeySpec, "SYMMETRIC_DEFAULT");
    assert.equal(metadata.KeyUsage, "ENCRYPT_DECRYPT");
    assert.deepEqual(metadata.EncryptionAlgorithms, ["SYMMETRIC_DEFAULT"]);
    assert.equal(metadata.SigningAlgorithms, undefined);
  });

  it("answers with complete metadata: what does not apply is absent, not null", async (t) => {
    const { target, emulator } = await startFixture(t);
    const { json } = await target("CreateKey", { KeySpec: "ECC_NIST_P384", KeyUsage: "SIGN_VERIFY" });
    const metadata = (json as { KeyMetadata: Record<string, unknown> }).KeyMetadata;
    const KeyId = String(metadata.KeyId);
    assert.match(KeyId, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.deepEqual(metadata, {
      AWSAccountId: account,
      KeyId,
      Arn: `arn:aws:kms:${region}:${account}:key/${KeyId}`,
      CreationDate: emulator.control.now().getTime() / 1000,
      Enabled: true,
      Description: "",
      KeyUsage: "SIGN_VERIFY",
      KeyState: "Enabled",
      Origin: "AWS_KMS",
      KeyManager: "CUSTOMER",
      CustomerMasterKeySpec: "ECC_NIST_P384",
      KeySpec: "ECC_NIST_P384",
      SigningAlgorithms: ["ECDSA_SHA_384"],
      MultiRegion: false,
    });
  });

  it("takes the old name of KeySpec", async (t) => {
    const { kms } = await startFixture(t);
    const key = await createKey(kms, { KeySpec: undefined, CustomerMasterKeySpec: "RSA_2048" });
    assert.equal(key.KeySpec, "RSA_2048");
    assert.equal(key.SigningAlgorithms?.length, 6);
  });

  it("is refused when the Region is full, whatever the state of the keys", async (t) => {
    const { kms, kmsFor } = await startFixture(t, { limits: { keysPerRegion: 2 } });
    const key = await createKey(kms);
    await createKey(kms);
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: key.KeyId }));
    await rejectsWith(createKey(kms), "LimitExceededException");
    await createKey(kmsFor({ accessKeyId: "A", secretAccessKey: "s" }, "eu-west-1"));
  });
});

/** docs/aws-kms-behaviour.md, "Identifiers": every operation that names a key, to ask it for one that cannot be found. */
const keyOperations = (kms: KMSClient, KeyId: string): readonly (() => Promise<unknown>)[] => [
  () => kms.send(new DescribeKeyCommand({ KeyId })),
  () => kms.send(new GetPublicKeyCommand({ KeyId })),
  () => kms.send(new SignCommand({ KeyId, Message: new Uint8Array(1), SigningAlgorithm: "ECDSA_SHA_256" })),
  () => kms.send(new EnableKeyCommand({ KeyId })),
  () => kms.send(new DisableKeyCommand({ KeyId })),
  () => kms.send(new ScheduleKeyDeletionCommand({ KeyId })),
  () => kms.send(new CancelKeyDeletionCommand({ KeyId })),
  () => kms.send(new UpdateKeyDescriptionCommand({ KeyId, Description: "x" })),
];

const absent = "1234abcd-12ab-34cd-56ef-1234567890ab";
const arnOf = (resource: string, where = region, owner = account) => `arn:aws:kms:${where}:${owner}:${resource}`;

const unresolvable: readonly { id: string; name: string; message: string }[] = [
  { id: "fake", name: "NotFoundException", message: "Invalid keyId 'fake'" },
  { id: "mrk-fake", name: "NotFoundException", message: "Invalid keyId 'mrk-fake'" },
  {
    id: absent.replaceAll("-", ""),
    name: "NotFoundException",
    message: `Invalid keyId '${absent.replaceAll("-", "")}'`,
  },
  { id: absent, name: "NotFoundException", message: `Key '${arnOf(`key/${absent}`)}' does not exist` },
  { id: arnOf(`key/${absent}`), name: "NotFoundException", message: `Key '${arnOf(`key/${absent}`)}' does not exist` },
  { id: arnOf(`key/${absent}`, "eu-west-1"), name: "NotFoundException", message: "Invalid arn eu-west-1" },
  { id: "arn:aws:kms", name: "InvalidArnException", message: "Invalid arn arn:aws:kms" },
  { id: "arn:aws:s3:::bucket", name: "InvalidArnException", message: "Invalid arn arn:aws:s3:::bucket" },
];

describe("a KeyId", () => {
  for (const { id, name, message } of unresolvable) {
    it(`'${id}' gives ${name} from every operation`, async (t) => {
      const { kms } = await startFixture(t);
      for (const call of keyOperations(kms, id)) await rejectsWith(call(), name, message);
    });
  }

  it("arrives as the SDK's own exception classes", async (t) => {
    const { kms } = await startFixture(t);
    await assert.rejects(kms.send(new DescribeKeyCommand({ KeyId: "fake" })), NotFoundException);
    await assert.rejects(kms.send(new DescribeKeyCommand({ KeyId: "arn:aws:kms" })), InvalidArnException);
  });

  /** Recorded for the ARN in CreateGrant, assumed for the rest [I]. */
  const refusalOf = (alias: string): [string, string] =>
    alias.startsWith("arn:")
      ? ["InvalidArnException", "Key Aliases are not supported for this operation."]
      : ["NotFoundException", `Invalid keyId '${alias}'`];

  it("may be an alias for DescribeKey, GetPublicKey and Sign only", async (t) => {
    const { kms } = await startFixture(t);
    const key = await createKey(kms);
    await createAlias(kms, "alias/a", key);
    for (const id of ["alias/a", arnOf("alias/a")]) {
      for (const [index, call] of keyOperations(kms, id).entries()) {
        if (index < 3) await call();
        else await rejectsWith(call(), ...refusalOf(id));
      }
    }
  });

  it("that names no alias is reported by the alias ARN", async (t) => {
    const { kms } = await startFixture(t);
    const sent = kms.send(new DescribeKeyCommand({ KeyId: "alias/none" }));
    await rejectsWith(sent, "NotFoundException", `Alias ${arnOf("alias/none")} is not found.`);
  });

  it("of 2049 characters, empty or missing is a ValidationException", async (t) => {
    const { kms, target } = await startFixture(t);
    const long = "k".repeat(2049);
    const constraint = "failed to satisfy constraint: Member must have length less than or equal to 2048";
    const tooLong = `1 validation error detected: Value '${long}' at 'keyId' ${constraint}`;
    await rejectsWith(kms.send(new DescribeKeyCommand({ KeyId: long })), "ValidationException", tooLong);
    await rejectsWith(
      kms.send(new DescribeKeyCommand({ KeyId: "" })),
      "ValidationException",
      "1 validation error detected: Value '' at 'keyId' failed to satisfy constraint: Member must have length greater than or equal to 1",
    );
    const missing = await target("DescribeKey", { KeyId: null });
    assert.deepEqual(
      [missing.status, missing.json],
      [
        400,
        {
          __type: "ValidationException",
          message:
            "1 validation error detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null",
        },
      ],
    );
  });
});

const stateOf = async (t: TestContext) => {
  const fixture = await startFixture(t);
  const key = await createKey(fixture.kms);
  const describeIt = async () =>
    present((await fixture.kms.send(new DescribeKeyCommand({ KeyId: key.KeyId }))).KeyMetadata);
  return { ...fixture, key, describeIt };
};

describe("deletion", () => {
  it("waits 30 days by default and answers with the key's ARN", async (t) => {
    const { kms, key, emulator, describeIt } = await stateOf(t);
    const reply = await kms.send(new ScheduleKeyDeletionCommand({ KeyId: key.KeyId }));
    const due = new Date(emulator.control.now().getTime() + 30 * dayMs);
    const { $metadata: _, ...members } = reply;
    assert.deepEqual(members, {
      KeyId: key.Arn,
      DeletionDate: due,
      KeyState: "PendingDeletion",
      PendingWindowInDays: 30,
    });
    const metadata = await describeIt();
    assert.deepEqual([metadata.KeyState, metadata.Enabled, metadata.DeletionDate], ["PendingDeletion", false, due]);
  });

  for (const days of [6, 31, 1, 365, 0, -1, 366]) {
    it(`refuses a window of ${days} days`, async (t) => {
      const { kms, key, describeIt } = await stateOf(t);
      const sent = kms.send(new ScheduleKeyDeletionCommand({ KeyId: key.KeyId, PendingWindowInDays: days }));
      const text =
        /^(?:1 validation error detected: .* at 'pendingWindowInDays' failed to satisfy constraint|PendingWindowInDays must be between 7 and 30$)/;
      await rejectsWith(sent, "ValidationException", text);
      assert.equal((await describeIt()).KeyState, "Enabled");
    });
  }

  it("takes the key and its aliases at the due moment, and not before", async (t) => {
    const { kms, key, emulator } = await stateOf(t);
    await createAlias(kms, "alias/going", key);
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: key.KeyId, PendingWindowInDays: 7 }));
    emulator.control.advance(7 * dayMs - 1);
    const listed = async () => present((await kms.send(new ListKeysCommand({}))).Keys).length;
    assert.equal(await listed(), 1, "pending keys are listed");
    await kms.send(new DescribeKeyCommand({ KeyId: "alias/going" }));
    emulator.control.advance(1);
    assert.equal(await listed(), 0);
    await rejectsWith(kms.send(new DescribeKeyCommand({ KeyId: key.KeyId })), "NotFoundException");
    await rejectsWith(kms.send(new DescribeKeyCommand({ KeyId: "alias/going" })), "NotFoundException");
  });

  it("can be cancelled, which leaves the key Disabled", async (t) => {
    const { kms, key, emulator, describeIt } = await stateOf(t);
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: key.Arn, PendingWindowInDays: 7 }));
    const { KeyId } = await kms.send(new CancelKeyDeletionCommand({ KeyId: key.KeyId }));
    assert.equal(KeyId, key.Arn);
    emulator.control.advance(60 * dayMs);
    const metadata = await describeIt();
    assert.deepEqual([metadata.KeyState, metadata.DeletionDate], ["Disabled", undefined]);
    await assert.rejects(kms.send(new CancelKeyDeletionCommand({ KeyId: key.KeyId })), KMSInvalidStateException);
  });

  it("scheduled again after a cancellation counts from the second time", async (t) => {
    const { kms, key, emulator } = await stateOf(t);
    const { KeyId } = key;
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
    emulator.control.advance(6 * dayMs);
    await kms.send(new CancelKeyDeletionCommand({ KeyId }));
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
    emulator.control.advance(2 * dayMs);
    await kms.send(new DescribeKeyCommand({ KeyId }));
    emulator.control.advance(5 * dayMs);
    await rejectsWith(kms.send(new DescribeKeyCommand({ KeyId })), "NotFoundException");
  });
});

describe("EnableKey, DisableKey, UpdateKeyDescription", () => {
  it("change what DescribeKey shows, and are idempotent", async (t) => {
    const { kms, key, describeIt } = await stateOf(t);
    const { KeyId } = key;
    for (const [command, state] of [
      [new DisableKeyCommand({ KeyId }), "Disabled"],
      [new DisableKeyCommand({ KeyId }), "Disabled"],
      [new EnableKeyCommand({ KeyId }), "Enabled"],
      [new EnableKeyCommand({ KeyId }), "Enabled"],
    ] as const) {
      await kms.send(command);
      const metadata = await describeIt();
      assert.deepEqual([metadata.KeyState, metadata.Enabled], [state, state === "Enabled"]);
    }
    await kms.send(new UpdateKeyDescriptionCommand({ KeyId, Description: "né à Zürich" }));
    assert.equal((await describeIt()).Description, "né à Zürich");
    await kms.send(new UpdateKeyDescriptionCommand({ KeyId, Description: "" }));
    assert.equal((await describeIt()).Description, "");
  });
});

describe("AWS-managed keys", () => {
  it("come into being when an AWS alias is described, and cannot be managed", async (t) => {
    const { kms } = await startFixture(t);
    const described = await kms.send(new DescribeKeyCommand({ KeyId: "alias/aws/ebs" }));
    const metadata = present(described.KeyMetadata);
    assert.equal(metadata.KeyManager, "AWS");
    const again = await kms.send(new DescribeKeyCommand({ KeyId: arnOf("alias/aws/ebs") }));
    assert.equal(again.KeyMetadata?.KeyId, metadata.KeyId);
    const KeyId = present(metadata.KeyId);
    await rejectsWith(kms.send(new ScheduleKeyDeletionCommand({ KeyId })), "AccessDeniedException");
    await rejectsWith(kms.send(new DisableKeyCommand({ KeyId })), "AccessDeniedException");
    await rejectsWith(createAlias(kms, "alias/mine", metadata as Key), "AccessDeniedException");
  });
});
