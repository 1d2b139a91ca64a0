/** Condition keys that requests carry: where they come from, their encryption context, what they ask for. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EncryptCommand } from "@aws-sdk/client-kms";
import type { EngineOptions } from "../../../src/kms-emulator/index.ts";
import { bytes, makeKey, refuses, startCalls } from "../call.ts";
import { rejectsWith, startFixture } from "../fixture.ts";
import { createKey } from "../key-fixture.ts";

const user = { accessKeyId: "AKIDUSER", arn: "arn:aws:iam::111122223333:user/app" };

/** A user who may make keys, and do anything else to KMS under `condition` only. */
const withCondition = (Condition: object): EngineOptions => {
  const make = { Effect: "Allow", Action: ["kms:CreateKey", "kms:PutKeyPolicy"], Resource: "*" };
  const use = { Effect: "Allow", NotAction: ["kms:CreateKey"], Resource: "*", Condition };
  const policies = [JSON.stringify({ Version: "2012-10-17", Statement: [make, use] })];
  return { authorize: true, identities: [{ ...user, policies }] };
};

const me = { identity: { accessKeyId: user.accessKeyId } };

async function start(Condition: object) {
  const { call } = startCalls(withCondition(Condition));
  const { KeyId } = await makeKey(call, {}, me);
  const encrypt = (EncryptionContext?: Record<string, string>) =>
    call("Encrypt", { KeyId, Plaintext: bytes("s"), EncryptionContext }, me);
  return { call, KeyId, encrypt };
}

/** Conditions that a plain Encrypt meets in process, and ones that it does not. */
const plain: readonly (readonly [string, object, boolean])[] = [
  ["its address in a range", { IpAddress: { "aws:SourceIp": ["10.0.0.0/8", "127.0.0.0/8"] } }, true],
  ["its address elsewhere", { IpAddress: { "aws:SourceIp": "10.0.0.0/8" } }, false],
  ["its address not in a range", { NotIpAddress: { "aws:SourceIp": "10.0.0.0/8" } }, true],
  ["its address in what must not be", { NotIpAddress: { "aws:SourceIp": "127.0.0.1" } }, false],
  ["a range that is none", { IpAddress: { "aws:SourceIp": "127.0.0.1/33" } }, false],
  ["TLS", { Bool: { "aws:SecureTransport": "true" } }, true],
  ["that no service calls", { Bool: { "aws:ViaAWSService": "false", "aws:PrincipalIsAWSService": "false" } }, true],
  ["that a service calls", { Bool: { "aws:ViaAWSService": "true" } }, false],
  ["a service by name", { StringEquals: { "kms:ViaService": "ec2.us-east-1.amazonaws.com" } }, false],
  ["the Region", { StringEquals: { "aws:RequestedRegion": "us-east-1" } }, true],
  [
    "the caller",
    { StringEquals: { "aws:PrincipalArn": user.arn, "aws:username": "app", "aws:PrincipalType": "User" } },
    true,
  ],
  [
    "the accounts",
    { StringEquals: { "aws:PrincipalAccount": "111122223333", "kms:CallerAccount": "111122223333" } },
    true,
  ],
  [
    "a date in the past",
    { DateGreaterThan: { "aws:CurrentTime": "2001-01-01T00:00:00Z", "aws:EpochTime": "978307200" } },
    true,
  ],
  ["a date in the future", { DateGreaterThan: { "aws:CurrentTime": "2999-01-01T00:00:00Z" } }, false],
  ["what calls", { StringLike: { "aws:UserAgent": "*" } }, true],
  ["the algorithm", { StringEquals: { "kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT" } }, true],
  [
    "the spec, by both names",
    { StringEquals: { "kms:KeySpec": "SYMMETRIC_DEFAULT", "kms:CustomerMasterKeySpec": "SYMMETRIC_DEFAULT" } },
    true,
  ],
  ["bytes", { BinaryEquals: { "aws:username": "app=" } }, true],
  ["other bytes", { BinaryEquals: { "aws:username": "aqq=" } }, false],
];

describe("a request is judged by", () => {
  for (const [title, condition, isAllowed] of plain) {
    it(`${title}: ${isAllowed ? "allowed" : "refused"}`, async () => {
      const { encrypt } = await start(condition);
      if (isAllowed) assert.ok((await encrypt()).CiphertextBlob);
      else await refuses(encrypt(), "AccessDeniedException");
    });
  }

  it("its encryption context, pair by pair and by its names", async () => {
    const pair = await start({ StringEquals: { "kms:EncryptionContext:tenant": "a" } });
    assert.ok((await pair.encrypt({ tenant: "a", more: "x" })).CiphertextBlob);
    for (const context of [undefined, { tenant: "b" }, { more: "a" }]) {
      await refuses(pair.encrypt(context), "AccessDeniedException");
    }
    const names = await start({ "ForAllValues:StringEquals": { "kms:EncryptionContextKeys": ["tenant", "more"] } });
    assert.ok((await names.encrypt({ tenant: "z" })).CiphertextBlob);
    await refuses(names.encrypt({ tenant: "z", third: "" }), "AccessDeniedException");
  });

  it("what a grant would hold", async () => {
    const condition = {
      "ForAllValues:StringEquals": { "kms:GrantOperations": ["Encrypt", "Decrypt"] },
      StringEquals: { "kms:GranteePrincipal": user.arn },
      Bool: { "kms:GrantIsForAWSResource": "false" },
    };
    const { call, KeyId } = await start(condition);
    const grant = (Operations: ("Encrypt" | "GenerateDataKey")[]) =>
      call("CreateGrant", { KeyId, GranteePrincipal: user.arn, Operations }, me);
    assert.ok((await grant(["Encrypt"])).GrantId);
    await refuses(grant(["Encrypt", "GenerateDataKey"]), "AccessDeniedException");
  });

  it("the address and name that come over HTTP", async (t) => {
    const condition = { IpAddress: { "aws:SourceIp": "127.0.0.1" }, StringLike: { "aws:UserAgent": "aws-sdk-js/*" } };
    const fixture = await startFixture(t, withCondition(condition));
    const kms = fixture.kmsFor({ accessKeyId: user.accessKeyId, secretAccessKey: "s" });
    const { KeyId } = await createKey(kms, { KeySpec: "SYMMETRIC_DEFAULT", KeyUsage: "ENCRYPT_DECRYPT" });
    assert.ok((await kms.send(new EncryptCommand({ KeyId, Plaintext: bytes("s") }))).CiphertextBlob);
    const elsewhere = await startFixture(t, withCondition({ IpAddress: { "aws:SourceIp": "192.0.2.0/24" } }));
    const away = elsewhere.kmsFor({ accessKeyId: user.accessKeyId, secretAccessKey: "s" });
    const other = await createKey(away, { KeySpec: "SYMMETRIC_DEFAULT", KeyUsage: "ENCRYPT_DECRYPT" });
    await rejectsWith(
      away.send(new EncryptCommand({ KeyId: other.KeyId, Plaintext: bytes("s") })),
      "AccessDeniedException",
    );
  });

  it("no condition that says nothing of a request without the context", async () => {
    const { call } = startCalls();
    const Condition = { "ForAllValues:StringEquals": { "kms:EncryptionContext:tenant": "a" } };
    const Statement = [
      { Effect: "Allow", Principal: { AWS: "111122223333" }, Action: "kms:*", Resource: "*", Condition },
    ];
    const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
    await refuses(call("CreateKey", { Policy }), "MalformedPolicyDocumentException", /^OverlyPermissiveCondition: /);
  });
});
