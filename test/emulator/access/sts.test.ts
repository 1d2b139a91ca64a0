/** Sessions of STS: trust policies, external ids, web identity tokens. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { describe, it } from "node:test";
import { ListKeysCommand } from "@aws-sdk/client-kms";
import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  AssumeRoleWithWebIdentityCommand,
  ExpiredTokenException,
  GetCallerIdentityCommand,
  InvalidIdentityTokenException,
} from "@aws-sdk/client-sts";
import { SignJWT } from "jose";
import { manualClock } from "../../../src/kms-emulator/index.ts";
import { rsaKeyPair } from "../../fixtures/rsa-keys/index.ts";
import { account, anyCredentials, present, rejectsWith, startFixture } from "../fixture.ts";

const role = `arn:aws:iam::${account}:role/path/to/app`;
const userKey = { accessKeyId: "AKIDUSER", secretAccessKey: "user-secret" };
const user = { ...userKey, arn: `arn:aws:iam::${account}:user/team/ada`, policies: [] as object[] };
const allow = (Action: string, Resource = "*") => ({ Statement: { Effect: "Allow", Action, Resource } });

describe("GetCallerIdentity", () => {
  const cases: readonly { arn: string; userId: RegExp; owner: string }[] = [
    { arn: "arn:aws:iam::444455556666:user/team/ada", userId: /^AIDA[A-Z2-7]{17}$/, owner: "444455556666" },
    { arn: "arn:aws:iam::444455556666:root", userId: /^444455556666$/, owner: "444455556666" },
    { arn: "arn:aws:sts::444455556666:assumed-role/app/i-1", userId: /^AROA[A-Z2-7]{17}:i-1$/, owner: "444455556666" },
    {
      arn: "arn:aws-cn:sts::444455556666:assumed-role/app/i-1",
      userId: /^AROA[A-Z2-7]{17}:i-1$/,
      owner: "444455556666",
    },
  ];
  for (const { arn, userId, owner } of cases) {
    it(`of ${arn}`, async (t) => {
      const { stsFor } = await startFixture(t, { identities: [{ ...userKey, arn }] });
      const { UserId, Account, Arn } = await stsFor(userKey).send(new GetCallerIdentityCommand({}));
      assert.deepEqual([Arn, Account], [arn, owner]);
      assert.match(present(UserId), userId);
    });
  }

  it("of an unknown access key is the default role's; of twelve digits, that account's", async (t) => {
    const { stsFor } = await startFixture(t);
    const arnFor = async (accessKeyId: string) =>
      (await stsFor({ accessKeyId, secretAccessKey: "x" }).send(new GetCallerIdentityCommand({}))).Arn;
    assert.equal(await arnFor("AKIDANY"), `arn:aws:sts::${account}:assumed-role/spire-server/i-0123456789`);
    assert.equal(await arnFor("444455556666"), "arn:aws:sts::444455556666:assumed-role/spire-server/i-0123456789");
  });

  it("has the documented XML, also by GET and with an STS error in XML", async (t) => {
    const { raw } = await startFixture(t);
    const form = { "Content-Type": "application/x-www-form-urlencoded" };
    const query = "Action=GetCallerIdentity&Version=2011-06-15";
    for (const reply of [await raw(form, query), await raw({}, "", "GET", `/?${query}`)]) {
      assert.equal(reply.status, 200);
      assert.equal(reply.headers["content-type"], "text/xml");
      const requestId = present(reply.headers["x-amzn-requestid"]);
      assert.match(
        reply.body,
        /^<GetCallerIdentityResponse xmlns="https:\/\/sts\.amazonaws\.com\/doc\/2011-06-15\/"><GetCallerIdentityResult>/,
      );
      assert.ok(reply.body.includes(`<Account>${account}</Account>`));
      assert.ok(
        reply.body.endsWith(`<RequestId>${requestId}</RequestId></ResponseMetadata></GetCallerIdentityResponse>`),
      );
    }
    const wrong = await raw(form, "Action=Nope&Version=2011-06-15");
    assert.equal(wrong.status, 400);
    assert.match(wrong.body, /^<ErrorResponse xmlns="[^"]+"><Error><Type>Sender<\/Type><Code>InvalidAction<\/Code>/);
  });

  it("works even under an explicit deny", async (t) => {
    const policies = [{ Statement: { Effect: "Deny", Action: "*", Resource: "*" } }];
    const { stsFor, kmsFor } = await startFixture(t, { identities: [{ ...user, policies }], authorize: true });
    assert.equal((await stsFor(userKey).send(new GetCallerIdentityCommand({}))).Arn, user.arn);
    await rejectsWith(kmsFor(userKey).send(new ListKeysCommand({})), "AccessDeniedException");
  });
});

describe("AssumeRole", () => {
  const request = (input: Partial<AssumeRoleCommandInput> = {}) =>
    new AssumeRoleCommand({ RoleArn: role, RoleSessionName: "s-1", ...input });

  it("hands out credentials of the role, whose path the session's ARN drops", async (t) => {
    const { stsFor, emulator } = await startFixture(t, {
      verifySignatures: true,
      identities: [user],
      clock: manualClock(Math.floor(Date.now() / 1000) * 1000),
    });
    const { Credentials, AssumedRoleUser, PackedPolicySize } = await stsFor(userKey).send(request());
    const credentials = present(Credentials);
    assert.match(present(credentials.AccessKeyId), /^ASIA[A-Z2-7]{16}$/);
    assert.equal(present(credentials.SecretAccessKey).length, 40);
    assert.equal(PackedPolicySize, undefined);
    assert.deepEqual(credentials.Expiration, new Date(emulator.control.now().getTime() + 3_600_000));
    assert.equal(AssumedRoleUser?.Arn, `arn:aws:sts::${account}:assumed-role/app/s-1`);
    assert.match(present(AssumedRoleUser?.AssumedRoleId), /^AROA[A-Z2-7]{17}:s-1$/);
    const session = {
      accessKeyId: present(credentials.AccessKeyId),
      secretAccessKey: present(credentials.SecretAccessKey),
      sessionToken: present(credentials.SessionToken),
    };
    const identity = await stsFor(session).send(new GetCallerIdentityCommand({}));
    assert.deepEqual([identity.Arn, identity.UserId], [AssumedRoleUser?.Arn, AssumedRoleUser?.AssumedRoleId]);
  });

  const refusals: readonly [string, Partial<AssumeRoleCommandInput>, string, (string | RegExp)?][] = [
    [
      "a duration of 899 s",
      { DurationSeconds: 899 },
      "ValidationError",
      /at 'durationSeconds' failed to satisfy constraint/,
    ],
    ["a duration over 12 h", { DurationSeconds: 43_201 }, "ValidationError"],
    ["a session name of one letter", { RoleSessionName: "s" }, "ValidationError", /at 'roleSessionName' failed/],
    ["a session name with a space", { RoleSessionName: "s 1" }, "ValidationError", /regular expression pattern/],
    ["a short role ARN", { RoleArn: "role" }, "ValidationError", /length greater than or equal to 20$/],
    ["an ARN of no role", { RoleArn: `arn:aws:iam::${account}:user/someone` }, "AccessDenied"],
    ["a policy that is none", { Policy: "{}" }, "MalformedPolicyDocumentException"],
  ];
  for (const [title, input, name, message] of refusals) {
    it(`refuses ${title}`, async (t) => {
      const { stsFor } = await startFixture(t, { identities: [user] });
      await rejectsWith(stsFor(userKey).send(request(input)), name, message);
    });
  }

  it("is cut to one hour for a session of a session", async (t) => {
    const { stsFor } = await startFixture(t);
    const { Credentials } = await stsFor(anyCredentials).send(request({ DurationSeconds: 7200 }));
    const session = { accessKeyId: present(Credentials?.AccessKeyId), secretAccessKey: "x", sessionToken: "y" };
    await rejectsWith(stsFor(session).send(request({ DurationSeconds: 3601 })), "ValidationError", /role chaining/);
    await stsFor(session).send(request({ DurationSeconds: 3600 }));
  });

  it("needs trust: by name it is enough, by account the caller needs sts:AssumeRole as well", async (t) => {
    const trust = (AWS: string, Condition?: object) => ({
      Statement: { Effect: "Allow", Principal: { AWS }, Action: "sts:AssumeRole", Condition },
    });
    const roleNamed = (name: string) => `arn:aws:iam::${account}:role/${name}`;
    const external = { StringEquals: { "sts:ExternalId": "magic" } };
    const able = {
      ...user,
      accessKeyId: "AKIDABLE",
      arn: `arn:aws:iam::${account}:user/able`,
      policies: [allow("sts:*")],
    };
    const { stsFor } = await startFixture(t, {
      authorize: true,
      identities: [user, able],
      roles: [
        { arn: roleNamed("by-name"), trustPolicy: trust(user.arn), maxSessionDurationSeconds: 3600 },
        { arn: roleNamed("by-account"), trustPolicy: trust(account) },
        { arn: roleNamed("with-external-id"), trustPolicy: trust(user.arn, external) },
        { arn: "arn:aws:iam::444455556666:role/foreign" },
      ],
    });
    const attempt = (name: string, who = userKey, input = {}) =>
      stsFor(who).send(request({ RoleArn: name.startsWith("arn:") ? name : roleNamed(name), ...input }));
    const ableKey = { ...userKey, accessKeyId: able.accessKeyId };
    await attempt("by-name");
    await rejectsWith(attempt("by-name", userKey, { DurationSeconds: 3601 }), "ValidationError", /MaxSessionDuration/);
    await rejectsWith(
      attempt("by-name", ableKey),
      "AccessDenied",
      `User: ${able.arn} is not authorized to perform: sts:AssumeRole on resource: ${roleNamed("by-name")}`,
    );
    await rejectsWith(
      attempt("by-account"),
      "AccessDenied",
      /because no identity-based policy allows the sts:AssumeRole action$/,
    );
    await attempt("by-account", ableKey);
    await rejectsWith(attempt("with-external-id"), "AccessDenied");
    await attempt("with-external-id", userKey, { ExternalId: "magic" });
    await rejectsWith(attempt("unknown", ableKey), "AccessDenied");
    await rejectsWith(attempt("arn:aws:iam::444455556666:role/foreign", ableKey), "AccessDenied");
  });

  it("with a session policy can only take away", async (t) => {
    const { stsFor, kmsFor } = await startFixture(t, {
      authorize: true,
      identities: [{ ...user, policies: [allow("sts:AssumeRole")] }],
      roles: [{ arn: role, policies: [allow("kms:List*")] }],
    });
    const listWith = async (Policy?: object) => {
      const { Credentials } = await stsFor(userKey).send(request(Policy ? { Policy: JSON.stringify(Policy) } : {}));
      const accessKeyId = present(Credentials?.AccessKeyId);
      return kmsFor({ accessKeyId, secretAccessKey: "x" }).send(new ListKeysCommand({}));
    };
    await listWith();
    await listWith(allow("*"));
    await rejectsWith(
      listWith(allow("kms:Sign")),
      "AccessDeniedException",
      /no session policy allows the kms:ListKeys action$/,
    );
  });
});

describe("AssumeRoleWithWebIdentity", () => {
  const nowSeconds = Math.floor(Date.now() / 1000);
  const issuer = "https://oidc.example.org/id/1";
  const subject = "system:serviceaccount:spire:server";
  const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const rsa = rsaKeyPair(2048);
  const keys = [
    { ...ec.publicKey.export({ format: "jwk" }), kid: "ec" },
    { ...rsa.publicKey.export({ format: "jwk" }), kid: "rsa" },
  ];
  const trustPolicy = {
    Statement: {
      Effect: "Allow",
      Principal: { Federated: `arn:aws:iam::${account}:oidc-provider/oidc.example.org/id/1` },
      Action: "sts:AssumeRoleWithWebIdentity",
      Condition: {
        StringEquals: { "oidc.example.org/id/1:sub": subject, "oidc.example.org/id/1:aud": "sts.amazonaws.com" },
      },
    },
  };
  const options = {
    authorize: true,
    verifySignatures: true,
    clock: manualClock(nowSeconds * 1000),
    roles: [{ arn: role, trustPolicy }],
    oidcProviders: [{ issuer, keys, audiences: ["sts.amazonaws.com", "other"] }],
  };
  const token = (claims: object = {}, kid: "ec" | "rsa" = "ec", key = kid === "ec" ? ec.privateKey : rsa.privateKey) =>
    new SignJWT({ iss: issuer, sub: subject, aud: "sts.amazonaws.com", exp: nowSeconds + 600, ...claims })
      .setProtectedHeader({ alg: kid === "ec" ? "ES256" : "RS256", kid })
      .sign(key);
  const request = (WebIdentityToken: string) =>
    new AssumeRoleWithWebIdentityCommand({ RoleArn: role, RoleSessionName: "irsa", WebIdentityToken });

  for (const kid of ["ec", "rsa"] as const) {
    it(`takes a token signed with ${kid}, unsigned as a request`, async (t) => {
      const { stsFor } = await startFixture(t, options);
      const reply = await stsFor(anyCredentials).send(request(await token({}, kid)));
      assert.equal(reply.SubjectFromWebIdentityToken, subject);
      assert.equal(reply.Audience, "sts.amazonaws.com");
      assert.equal(reply.Provider, `arn:aws:iam::${account}:oidc-provider/oidc.example.org/id/1`);
      const session = {
        accessKeyId: present(reply.Credentials?.AccessKeyId),
        secretAccessKey: present(reply.Credentials?.SecretAccessKey),
        sessionToken: present(reply.Credentials?.SessionToken),
      };
      const identity = await stsFor(session).send(new GetCallerIdentityCommand({}));
      assert.equal(identity.Arn, `arn:aws:sts::${account}:assumed-role/app/irsa`);
    });
  }

  it("refuses tokens that are expired, foreign, forged, for another subject, or no tokens", async (t) => {
    const { stsFor } = await startFixture(t, options);
    const attempt = async (made: string | Promise<string>) => stsFor(anyCredentials).send(request(await made));
    const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
    await assert.rejects(attempt(token({ exp: nowSeconds })), ExpiredTokenException);
    await assert.rejects(attempt(token({}, "ec", stranger)), InvalidIdentityTokenException);
    await assert.rejects(attempt(token({ iss: "https://elsewhere.example" })), InvalidIdentityTokenException);
    await assert.rejects(attempt(token({ aud: "unknown" })), InvalidIdentityTokenException);
    await assert.rejects(attempt("no.token.atall"), InvalidIdentityTokenException);
    await assert.rejects(attempt("token"), InvalidIdentityTokenException);
    await rejectsWith(
      attempt(token({ sub: "unknown" })),
      "AccessDenied",
      "Not authorized to perform sts:AssumeRoleWithWebIdentity",
    );
    await rejectsWith(attempt(token({ aud: "other" })), "AccessDenied");
    await rejectsWith(attempt("abc"), "ValidationError", /at 'webIdentityToken' failed/);
  });

  it("reads tokens without verifying them when no provider is configured", async (t) => {
    const { stsFor } = await startFixture(t);
    const reply = await stsFor(anyCredentials).send(request(await token({ iss: "https://any.example" })));
    assert.equal(reply.SubjectFromWebIdentityToken, subject);
    await assert.rejects(stsFor(anyCredentials).send(request(await token({ exp: 1 }))), ExpiredTokenException);
  });
});
