/** Grants: what they let their grantees do, and no more; who may give them back; how they are listed. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CallOptions, EngineOptions } from "../../../src/kms-emulator/index.ts";
import { bytes, makeKey, present, refuses, startCalls } from "../call.ts";

const account = "111122223333";
const userArn = (name: string) => `arn:aws:iam::${account}:user/${name}`;
const allOf = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "kms:*", Resource: "*" }],
});
const none = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "s3:*", Resource: "*" }] });

/** An administrator, and users whose policies allow nothing of KMS. */
const options: EngineOptions = {
  authorize: true,
  identities: [
    { accessKeyId: "ADMIN", arn: userArn("admin"), policies: [allOf] },
    ...["app", "other", "closer"].map((name) => ({ accessKeyId: name, arn: userArn(name), policies: [none] })),
    { accessKeyId: "FOREIGN", arn: "arn:aws:iam::444455556666:user/foreign", policies: [none] },
  ],
  principals: ["arn:aws:iam::444455556666:user/foreign"],
};

const as = (accessKeyId: string): CallOptions => ({ identity: { accessKeyId } });
const admin = as("ADMIN");

async function startWithKey() {
  const { call, control } = startCalls(options);
  const key = await makeKey(call, {}, admin);
  const grant = (input: object = {}, by = admin) =>
    call(
      "CreateGrant",
      { KeyId: key.KeyId, GranteePrincipal: userArn("app"), Operations: ["Encrypt", "Decrypt"], ...input },
      by,
    );
  const encrypt = (by: CallOptions, EncryptionContext?: Record<string, string>) =>
    call("Encrypt", { KeyId: key.Arn, Plaintext: bytes("s"), EncryptionContext }, by);
  return { call, control, key, grant, encrypt };
}

describe("a grant", () => {
  it("lets its grantee do its operations, nothing else, and no one else, until it is revoked", async () => {
    const { call, key, grant, encrypt } = await startWithKey();
    await refuses(
      encrypt(as("app")),
      "AccessDeniedException",
      /no identity-based policy allows the kms:Encrypt action$/,
    );
    const { GrantId } = await grant();
    const { CiphertextBlob } = await encrypt(as("app"));
    await call("Decrypt", { CiphertextBlob }, as("app"));
    await refuses(
      call("GenerateDataKey", { KeyId: key.KeyId, KeySpec: "AES_256" }, as("app")),
      "AccessDeniedException",
    );
    await refuses(encrypt(as("other")), "AccessDeniedException");
    await call("RevokeGrant", { KeyId: key.KeyId, GrantId: present(GrantId) }, admin);
    await refuses(encrypt(as("app")), "AccessDeniedException");
    await refuses(call("Decrypt", { CiphertextBlob }, as("app")), "AccessDeniedException", /^The ciphertext refers to/);
  });

  it("crosses accounts", async () => {
    const { grant, encrypt } = await startWithKey();
    await refuses(encrypt(as("FOREIGN")), "AccessDeniedException");
    await grant({ GranteePrincipal: "arn:aws:iam::444455556666:user/foreign" });
    assert.ok((await encrypt(as("FOREIGN"))).CiphertextBlob);
  });

  it("does not stand against an explicit deny", async () => {
    const { call, key, grant, encrypt } = await startWithKey();
    await grant();
    const allow = { Effect: "Allow", Principal: { AWS: account }, Action: "kms:*", Resource: "*" };
    const deny = { Effect: "Deny", Principal: { AWS: userArn("app") }, Action: "kms:Encrypt", Resource: "*" };
    const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [allow, deny] });
    await call("PutKeyPolicy", { KeyId: key.KeyId, Policy }, admin);
    await refuses(encrypt(as("app")), "AccessDeniedException", /explicit deny in a resource-based policy$/);
  });

  it("binds the encryption context: equal, or a part of it", async () => {
    const { grant, encrypt } = await startWithKey();
    await grant({ Constraints: { EncryptionContextEquals: { tenant: "a" } } });
    assert.ok((await encrypt(as("app"), { tenant: "a" })).CiphertextBlob);
    for (const context of [undefined, {}, { tenant: "b" }, { tenant: "a", more: "1" }]) {
      await refuses(encrypt(as("app"), context), "AccessDeniedException");
    }
    await grant({ GranteePrincipal: userArn("other"), Constraints: { EncryptionContextSubset: { tenant: "a" } } });
    assert.ok((await encrypt(as("other"), { tenant: "a", more: "1" })).CiphertextBlob);
    await refuses(encrypt(as("other"), { more: "1" }), "AccessDeniedException");
  });

  it("hands on no more than it has", async () => {
    const { call, key, grant, encrypt } = await startWithKey();
    await grant({ Operations: ["CreateGrant", "Encrypt"] });
    const handOn = (Operations: ("Encrypt" | "Decrypt")[]) =>
      call("CreateGrant", { KeyId: key.KeyId, GranteePrincipal: userArn("other"), Operations }, as("app"));
    await refuses(handOn(["Encrypt", "Decrypt"]), "AccessDeniedException");
    await handOn(["Encrypt"]);
    assert.ok((await encrypt(as("other"))).CiphertextBlob);
  });

  it("covers both sides of ReEncrypt apart", async () => {
    const { call, key, grant } = await startWithKey();
    const target = await makeKey(call, {}, admin);
    const { CiphertextBlob } = await call("Encrypt", { KeyId: key.KeyId, Plaintext: bytes("s") }, admin);
    const move = () => call("ReEncrypt", { CiphertextBlob, DestinationKeyId: target.KeyId }, as("app"));
    await refuses(move(), "AccessDeniedException");
    await grant({ Operations: ["ReEncryptFrom"] });
    await refuses(move(), "AccessDeniedException", /kms:ReEncryptTo/);
    await grant({ KeyId: target.KeyId, Operations: ["ReEncryptTo"] });
    assert.equal((await move()).KeyId, target.Arn);
  });
});

describe("giving a grant back", () => {
  const GrantOperations = ["Encrypt"] as const;

  it("is for the principal that the grant names, by token or by id", async () => {
    const { call, key, grant, encrypt } = await startWithKey();
    const made = await grant({ Operations: GrantOperations, RetiringPrincipal: userArn("closer") });
    await refuses(call("RetireGrant", { GrantToken: made.GrantToken }, as("other")), "AccessDeniedException");
    await refuses(call("RetireGrant", { GrantToken: made.GrantToken }, as("app")), "AccessDeniedException");
    await refuses(
      call("RetireGrant", { GrantToken: made.GrantToken, DryRun: true }, as("closer")),
      "DryRunOperationException",
    );
    await call("RetireGrant", { GrantToken: made.GrantToken }, as("closer"));
    await refuses(encrypt(as("app")), "AccessDeniedException");
    const second = await grant({ Operations: ["Encrypt", "RetireGrant"] });
    await call("RetireGrant", { KeyId: key.Arn, GrantId: second.GrantId }, as("app"));
    await refuses(call("RetireGrant", { KeyId: key.Arn, GrantId: second.GrantId }, as("app")), "NotFoundException");
  });

  it("needs a token, or a key and an id, that are some", async () => {
    const { call, key } = await startWithKey();
    await refuses(call("RetireGrant", {}, admin), "ValidationException");
    await refuses(call("RetireGrant", { KeyId: key.KeyId }, admin), "ValidationException");
    await refuses(call("RetireGrant", { GrantToken: "made-up" }, admin), "InvalidGrantTokenException");
    await refuses(call("RevokeGrant", { KeyId: key.KeyId, GrantId: "fake" }, admin), "InvalidGrantIdException");
    await refuses(call("RevokeGrant", { KeyId: key.KeyId, GrantId: "0".repeat(64) }, admin), "NotFoundException");
  });
});

describe("CreateGrant", () => {
  it("refuses what AWS refuses, in its words where they are known", async () => {
    const { call, grant } = await startWithKey();
    await refuses(
      grant({ Operations: ["CreateGrant"] }),
      "ValidationException",
      "Grants must not contain only the CreateGrant operation.",
    );
    const both = { EncryptionContextEquals: { a: "b" }, EncryptionContextSubset: { a: "b" } };
    await refuses(grant({ Constraints: both }), "ValidationException", "More than one constraint supplied");
    await refuses(grant({ Operations: ["Sign"] }), "ValidationException");
    await refuses(grant({ GranteePrincipal: userArn("never-made") }), "InvalidArnException");
    await refuses(grant({ GranteePrincipal: undefined }), "ValidationException", /at 'granteePrincipal'/);
    const text = "Key Aliases are not supported for this operation.";
    for (const KeyId of ["alias/a", `arn:aws:kms:us-east-1:${account}:alias/a`]) {
      await refuses(grant({ KeyId }), "InvalidArnException", text);
    }
    await refuses(grant({ GrantTokens: ["made-up"] }), "InvalidGrantTokenException");
    await refuses(grant({ DryRun: true }), "DryRunOperationException");
    const hmac = await makeKey(call, { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" }, admin);
    const constrained = { Constraints: { EncryptionContextEquals: { a: "b" } }, Operations: ["GenerateMac"] };
    await refuses(grant({ KeyId: hmac.KeyId, ...constrained }), "ValidationException");
  });

  it("of the same name and content is the same grant, with another token", async () => {
    const { call, key, grant } = await startWithKey();
    const [first, again] = [await grant({ Name: "n" }), await grant({ Name: "n" })];
    assert.equal(first.GrantId, again.GrantId);
    assert.notEqual(first.GrantToken, again.GrantToken);
    const other = await grant({ Name: "n", Operations: ["Encrypt"] });
    const [nameless, second] = [await grant(), await grant()];
    assert.equal(new Set([first, other, nameless, second].map(({ GrantId }) => GrantId)).size, 4);
    assert.equal((await call("ListGrants", { KeyId: key.KeyId }, admin)).Grants?.length, 4);
    for (const GrantToken of [first.GrantToken, again.GrantToken]) {
      const used = { KeyId: key.Arn, Plaintext: bytes("s"), GrantTokens: [present(GrantToken)] };
      assert.ok((await call("Encrypt", used, as("app"))).CiphertextBlob);
    }
  });

  it("keeps to the quota", async () => {
    const { call } = startCalls({ limits: { grantsPerKey: 2 } });
    const { KeyId } = await makeKey(call);
    const made = { KeyId, GranteePrincipal: userArn("app"), Operations: ["Encrypt"] } as const;
    await call("CreateGrant", made);
    await call("CreateGrant", made);
    await refuses(call("CreateGrant", made), "LimitExceededException", /is 2, current usage is 2\.$/);
  });
});

describe("listings of grants", () => {
  it("show them as they were made, by pages, by id and by grantee", async () => {
    const { call, control, key, grant } = await startWithKey();
    const Constraints = { EncryptionContextSubset: { a: "b" } };
    const named = await grant({ Name: "first", Constraints, RetiringPrincipal: userArn("closer") });
    control.advance(1);
    for (let index = 0; index < 4; index += 1) await grant({ GranteePrincipal: userArn("other") });
    const page = await call("ListGrants", { KeyId: key.KeyId, Limit: 3 }, admin);
    const rest = await call("ListGrants", { KeyId: key.KeyId, Limit: 3, Marker: present(page.NextMarker) }, admin);
    assert.deepEqual([page.Grants?.length, page.Truncated, rest.Grants?.length, rest.Truncated], [3, true, 2, false]);
    assert.deepEqual(page.Grants?.[0], {
      KeyId: key.Arn,
      GrantId: named.GrantId,
      Name: "first",
      CreationDate: new Date(control.now().getTime() - 1),
      GranteePrincipal: userArn("app"),
      RetiringPrincipal: userArn("closer"),
      IssuingAccount: `arn:aws:iam::${account}:root`,
      Operations: ["Encrypt", "Decrypt"],
      Constraints,
    });
    assert.ok(!("Name" in present(rest.Grants?.[0])));
    const of = async (input: object) =>
      (await call("ListGrants", { KeyId: key.KeyId, ...input }, admin)).Grants?.length;
    assert.deepEqual([await of({ GrantId: named.GrantId }), await of({ GranteePrincipal: userArn("other") })], [1, 4]);
  });

  it("show a principal what it may give back, on keys of every account", async () => {
    const { call, grant } = await startWithKey();
    const RetiringPrincipal = userArn("closer");
    await grant({ RetiringPrincipal });
    await grant();
    const listed = await call("ListRetirableGrants", { RetiringPrincipal }, admin);
    assert.deepEqual([listed.Grants?.length, listed.Truncated], [1, false]);
    await refuses(call("ListRetirableGrants", { RetiringPrincipal }, as("app")), "AccessDeniedException");
    await refuses(call("ListRetirableGrants", {}, admin), "ValidationException");
  });

  it("end with the key, and survive with the data", async () => {
    const { call, control, key, grant } = await startWithKey();
    const { GrantToken } = await grant();
    control.load(control.dump());
    const used = { KeyId: key.Arn, Plaintext: bytes("s"), GrantTokens: [present(GrantToken)] };
    assert.ok((await call("Encrypt", used, as("app"))).CiphertextBlob);
    await call("ScheduleKeyDeletion", { KeyId: key.KeyId, PendingWindowInDays: 7 }, admin);
    control.advance(8 * 86_400_000);
    await refuses(call("RetireGrant", { GrantToken }, admin), "NotFoundException");
  });
});
