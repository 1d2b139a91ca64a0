/** GetRole of IAM, and policies that name roles by their paths. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CreateKeyCommand } from "@aws-sdk/client-kms";
import { account, type Fixture, present, rejectsWith, startFixture } from "../fixture.ts";

const form = { "Content-Type": "application/x-www-form-urlencoded" };
const roleArn = `arn:aws:iam::${account}:role/infra/prod/spire-server`;
const sessionArn = `arn:aws:sts::${account}:assumed-role/spire-server/i-0abc`;
const accessKeyId = "ASIASPIRESESSION0001";
const allow = (Action: string | string[], Resource = "*") => ({ Statement: { Effect: "Allow", Action, Resource } });

/** GetRole by raw HTTP, as the access key's owner. */
async function ask({ raw }: Fixture, roleName: string, as?: string) {
  const credential = `Credential=${as}/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0`;
  const headers =
    as === undefined
      ? form
      : { ...form, Authorization: `AWS4-HMAC-SHA256 ${credential}`, "X-Amz-Date": "20260101T000000Z" };
  const reply = await raw(
    headers,
    new URLSearchParams({ Action: "GetRole", Version: "2010-05-08", RoleName: roleName }).toString(),
  );
  const text = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(reply.body)?.[1];
  return { ...reply, text };
}

describe("GetRole", () => {
  it("has the documented XML", async (t) => {
    const trustPolicy = { Statement: { Effect: "Allow", Principal: { AWS: "*" }, Action: "sts:AssumeRole" } };
    const fixture = await startFixture(t, {
      roles: [{ arn: roleArn, trustPolicy, maxSessionDurationSeconds: 7200 }],
    });
    const { status, headers, body, text } = await ask(fixture, "spire-server");
    assert.equal(status, 200);
    assert.equal(headers["content-type"], "text/xml");
    assert.match(
      body,
      /^<GetRoleResponse xmlns="https:\/\/iam\.amazonaws\.com\/doc\/2010-05-08\/"><GetRoleResult><Role>/,
    );
    assert.deepEqual(["Path", "RoleName", "Arn", "MaxSessionDuration"].map(text), [
      "/infra/prod/",
      "spire-server",
      roleArn,
      "7200",
    ]);
    assert.match(present(text("RoleId")), /^AROA[A-Z2-7]{17}$/);
    assert.match(present(text("CreateDate")), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.deepEqual(JSON.parse(decodeURIComponent(present(text("AssumeRolePolicyDocument")))), trustPolicy);
    assert.equal(text("RequestId"), headers["x-amzn-requestid"]);
  });

  it("knows the roles of sessions, with and without a path", async (t) => {
    const identities = [
      { accessKeyId, arn: sessionArn, roleArn },
      { accessKeyId: "ASIASPIRESESSION0002", arn: `arn:aws-cn:sts::444455556666:assumed-role/plain/x` },
    ];
    const fixture = await startFixture(t, { identities, authorize: true });
    assert.equal((await ask(fixture, "spire-server", accessKeyId)).text("Arn"), roleArn);
    const plain = await ask(fixture, "plain", "ASIASPIRESESSION0002");
    assert.deepEqual([plain.text("Path"), plain.text("Arn")], ["/", "arn:aws-cn:iam::444455556666:role/plain"]);
  });

  it("without permissions every role exists in the caller's account, without a path unless it is configured", async (t) => {
    const fixture = await startFixture(t, { roles: [{ arn: roleArn }] });
    assert.equal((await ask(fixture, "any")).text("Arn"), `arn:aws:iam::${account}:role/any`);
    assert.equal((await ask(fixture, "any", "444455556666")).text("Arn"), "arn:aws:iam::444455556666:role/any");
    assert.equal((await ask(fixture, "spire-server", "444455556666")).text("Path"), "/", "another account's role");
  });

  it("needs iam:GetRole, on the role with its path; a role that is not there is NoSuchEntity", async (t) => {
    const policies = [allow("iam:GetRole", `arn:aws:iam::${account}:role/*/spire-server`)];
    const identities = [
      { accessKeyId, arn: sessionArn, roleArn, policies },
      { accessKeyId: "ASIAMAYNOTHING000001", arn: sessionArn, roleArn, policies: [] },
      { accessKeyId: "ASIAMAYALL0000000001", arn: sessionArn, roleArn },
    ];
    const fixture = await startFixture(t, { identities, authorize: true });
    assert.equal((await ask(fixture, "spire-server", accessKeyId)).text("Arn"), roleArn);
    const refused = await ask(fixture, "spire-server", "ASIAMAYNOTHING000001");
    assert.deepEqual([refused.status, refused.text("Code"), refused.text("Type")], [403, "AccessDenied", "Sender"]);
    assert.equal(
      refused.text("Message"),
      `User: ${sessionArn} is not authorized to perform: iam:GetRole on resource: ${roleArn} because no identity-based policy allows the iam:GetRole action`,
    );
    assert.equal((await ask(fixture, "other", accessKeyId)).text("Code"), "AccessDenied");
    const absent = await ask(fixture, "other", "ASIAMAYALL0000000001");
    assert.deepEqual(
      [absent.status, absent.text("Code"), absent.text("Message")],
      [404, "NoSuchEntity", "The role with name other cannot be found."],
    );
  });

  it("refuses names that are none, unsigned calls in a strict account, and operations of IAM that it has not", async (t) => {
    const fixture = await startFixture(t, { authorize: true, identities: [{ accessKeyId, arn: sessionArn }] });
    for (const name of ["", "a/b", "x".repeat(65)]) {
      const { status, text } = await ask(fixture, name, accessKeyId);
      assert.deepEqual([status, text("Code")], [400, "ValidationError"], name);
    }
    assert.equal((await ask(fixture, "spire-server")).text("Code"), "MissingAuthenticationToken");
    for (const query of [
      "Action=GetUser&Version=2010-05-08",
      "Action=GetRole&Version=2011-06-15",
      "Action=AssumeRole&Version=2010-05-08",
    ]) {
      const { status, body } = await fixture.raw(form, query);
      assert.equal(status, 400);
      assert.match(body, /<Code>InvalidAction<\/Code>/, query);
    }
  });
});

describe("roles with a path", () => {
  const keyFor = (principal: string) => ({
    KeySpec: "ECC_NIST_P256" as const,
    KeyUsage: "SIGN_VERIFY" as const,
    Policy: JSON.stringify({
      Statement: { Effect: "Allow", Principal: { AWS: principal }, Action: "kms:*", Resource: "*" },
    }),
  });
  const wrong = [`arn:aws:iam::${account}:role/spire-server`, `arn:aws:iam::${account}:role/infra/spire-server`];

  for (const [title, options] of [
    ["told by the session's identity", { identities: [{ accessKeyId, arn: sessionArn, roleArn }] }],
    ["told by the role", { identities: [{ accessKeyId, arn: sessionArn }], roles: [{ arn: roleArn }] }],
  ] as const) {
    it(`are principals of key policies with that path only, ${title}`, async (t) => {
      const { kmsFor } = await startFixture(t, { ...options, authorize: true });
      const kms = kmsFor({ accessKeyId, secretAccessKey: "x" });
      for (const principal of wrong) {
        const refused = kms.send(new CreateKeyCommand(keyFor(principal)));
        await rejectsWith(refused, "MalformedPolicyDocumentException", /invalid principals/);
      }
      const { KeyMetadata } = await kms.send(new CreateKeyCommand(keyFor(roleArn)));
      assert.equal(present(KeyMetadata).Enabled, true);
    });
  }
});
