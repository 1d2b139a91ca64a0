/** Key policies: checks, lockout, principals. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  CreateKeyCommand,
  GetKeyPolicyCommand,
  MalformedPolicyDocumentException,
  PutKeyPolicyCommand,
} from "@aws-sdk/client-kms";
import { account, present, rejectsWith, startFixture } from "../fixture.ts";
import { createKey } from "../key-fixture.ts";

const root = `arn:aws:iam::${account}:root`;
const role = `arn:aws:iam::${account}:role/spire-server`;
const statement = (parts: object = {}) => ({
  Effect: "Allow",
  Principal: { AWS: root },
  Action: "kms:*",
  Resource: "*",
  ...parts,
});
const policy = (...Statement: unknown[]) => JSON.stringify({ Version: "2012-10-17", Statement });

/** SPIRE's built-in policy (docs/aws-kms-behaviour.md, "Key policies"). */
const spirePolicy = policy(
  statement({ Sid: "Allow full access to the SPIRE Server role", Principal: { AWS: role } }),
  statement({
    Sid: "Allow KMS console to display the key and policy",
    Action: ["kms:Describe*", "kms:List*", "kms:Get*"],
  }),
);

const lockedOut = "The new key policy will not allow you to update the key policy in the future.";
const invalidPrincipals = "Policy contains a statement with one or more invalid principals.";

const malformed: readonly { title: string; document: string; message?: string }[] = [
  { title: "text that is not JSON", document: "{" },
  { title: "JSON that is no object", document: '"policy"' },
  { title: "no statement", document: '{"Version":"2012-10-17"}' },
  { title: "an empty list of statements", document: policy() },
  { title: "a statement without principal", document: policy(statement({ Principal: undefined })) },
  { title: "an unknown effect", document: policy(statement({ Effect: "allow" })) },
  { title: "an unknown version", document: policy(statement()).replace("2012", "2013") },
  { title: "an unknown member of a statement", document: policy(statement({ Actions: "kms:*" })) },
  { title: "an unknown condition operator", document: policy(statement({ Condition: { StringEqual: { a: "b" } } })) },
  { title: "both Action and NotAction", document: policy(statement({ NotAction: "kms:Sign" })) },
  {
    title: "a principal that is not one",
    document: policy(statement(), statement({ Principal: { AWS: "arn:aws:iam::1:root" } })),
    message: invalidPrincipals,
  },
  {
    title: "a principal with a wildcard in its ARN",
    document: policy(statement(), statement({ Principal: { AWS: `arn:aws:iam::${account}:role/*` } })),
    message: invalidPrincipals,
  },
  {
    title: "a policy that locks the caller out",
    document: policy(statement({ Principal: { AWS: `${role}-2` } })),
    message: lockedOut,
  },
  {
    title: "a policy without kms:PutKeyPolicy",
    document: policy(statement({ Action: "kms:Get*" })),
    message: lockedOut,
  },
  {
    title: "a policy that denies kms:PutKeyPolicy",
    document: policy(statement(), statement({ Effect: "Deny", Principal: "*", Action: "kms:PutKeyPolicy" })),
    message: lockedOut,
  },
  {
    title: "a statement that is inert for want of a Resource",
    document: policy(statement({ Resource: undefined })),
    message: lockedOut,
  },
];

describe("a key policy", () => {
  it("is AWS's default unless given, in AWS's layout", async (t) => {
    const { kms } = await startFixture(t);
    const { KeyId } = await createKey(kms);
    const reply = await kms.send(new GetKeyPolicyCommand({ KeyId }));
    assert.equal(reply.PolicyName, "default");
    assert.deepEqual(JSON.parse(present(reply.Policy)), {
      Version: "2012-10-17",
      Id: "key-default-1",
      Statement: [statement({ Sid: "Enable IAM User Permissions" })],
    });
    assert.match(present(reply.Policy), /^\{\n {2}"Version" : "2012-10-17",\n {2}"Id" : "key-default-1",\n/);
  });

  it("comes back with the same meaning as it was given", async (t) => {
    const { kms } = await startFixture(t);
    const { KeyId } = await createKey(kms, { Policy: spirePolicy });
    const get = async () =>
      JSON.parse(present((await kms.send(new GetKeyPolicyCommand({ KeyId, PolicyName: "default" }))).Policy));
    assert.deepEqual(await get(), JSON.parse(spirePolicy));
    const other = policy(statement({ Sid: 'quo"te": x', Principal: { AWS: [account, role] }, Action: ["kms:*"] }));
    await kms.send(new PutKeyPolicyCommand({ KeyId, Policy: other }));
    assert.deepEqual(await get(), JSON.parse(other));
  });

  for (const { title, document, message } of malformed) {
    it(`with ${title} is a MalformedPolicyDocumentException`, async (t) => {
      const { kms } = await startFixture(t);
      const { KeyId } = await createKey(kms);
      await assert.rejects(createKey(kms, { Policy: document }), MalformedPolicyDocumentException);
      const sent = kms.send(new PutKeyPolicyCommand({ KeyId, Policy: document }));
      await rejectsWith(sent, "MalformedPolicyDocumentException", message);
    });
  }

  it("may lock the caller out if the check is bypassed", async (t) => {
    const { kms } = await startFixture(t);
    const Policy = policy(statement({ Principal: { AWS: `${role}-2` } }));
    await createKey(kms, { Policy, BypassPolicyLockoutSafetyCheck: true });
    const { KeyId } = await createKey(kms);
    await kms.send(new PutKeyPolicyCommand({ KeyId, Policy, BypassPolicyLockoutSafetyCheck: true }));
  });

  it("over 32 KB is a LimitExceededException, over 128 K characters a ValidationException", async (t) => {
    const { kms } = await startFixture(t);
    const sized = (length: number) => policy(statement({ Sid: "s".repeat(length) }));
    await createKey(kms, { Policy: sized(32_000) });
    await rejectsWith(createKey(kms, { Policy: sized(32_768) }), "LimitExceededException");
    await rejectsWith(createKey(kms, { Policy: sized(131_072) }), "ValidationException");
    await rejectsWith(kms.send(new CreateKeyCommand({ Policy: "" })), "ValidationException");
    await rejectsWith(
      kms.send(new CreateKeyCommand({ Policy: "{\u2028}" })),
      "ValidationException",
      /regular expression/,
    );
  });

  it("has the name default and no other (text unverified)", async (t) => {
    const { kms } = await startFixture(t);
    const { KeyId } = await createKey(kms);
    const other = { KeyId, PolicyName: "other" };
    await rejectsWith(kms.send(new GetKeyPolicyCommand(other)), "NotFoundException", "No such policy exists");
    await rejectsWith(
      kms.send(new PutKeyPolicyCommand({ ...other, Policy: policy(statement()) })),
      "NotFoundException",
    );
    await rejectsWith(kms.send(new GetKeyPolicyCommand({ KeyId, PolicyName: "a b" })), "ValidationException");
  });
});
