/** Signature Version 4: which requests are refused, and in which words. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { ListAliasesCommand, ListKeysCommand } from "@aws-sdk/client-kms";
import { AssumeRoleCommand, GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { type EmulatorOptions, manualClock } from "../../../src/kms-emulator/index.ts";
import { account, type Credentials, present, rejectsWith, startFixture } from "../fixture.ts";

const good: Credentials = { accessKeyId: "AKIDGOOD", secretAccessKey: "right/secret+" };
const temporary: Credentials = { accessKeyId: "ASIATEMP", secretAccessKey: "s", sessionToken: "token==" };
const options: EmulatorOptions = {
  verifySignatures: true,
  identities: [
    { ...good, arn: `arn:aws:iam::${account}:user/good` },
    { ...temporary, arn: `arn:aws:sts::${account}:assumed-role/r/s` } as const,
    { accessKeyId: "AKIDNOSECRET", arn: `arn:aws:iam::${account}:user/no-secret` },
  ],
};

/** The clock stands at the host's time, which the SDKs sign with. */
const start = (t: TestContext) => startFixture(t, { ...options, clock: manualClock(Date.now()) });

describe("SigV4 verification", () => {
  it("accepts what the SDKs sign, for all Regions, with and without session token", async (t) => {
    const { kmsFor, stsFor } = await start(t);
    await kmsFor(good).send(new ListKeysCommand({}));
    await kmsFor(good, "ap-southeast-2").send(new ListAliasesCommand({ Limit: 3 }));
    await kmsFor(temporary).send(new ListKeysCommand({}));
    assert.match(present((await stsFor(temporary).send(new GetCallerIdentityCommand({}))).Arn), /assumed-role\/r\/s$/);
  });

  const failures: readonly [string, Credentials, string, string][] = [
    ["a wrong secret", { ...good, secretAccessKey: "wrong" }, "InvalidSignatureException", "SignatureDoesNotMatch"],
    [
      "an unknown access key",
      { ...good, accessKeyId: "AKIDNOBODY" },
      "UnrecognizedClientException",
      "InvalidClientTokenId",
    ],
    [
      "a missing session token",
      { ...temporary, sessionToken: "" },
      "UnrecognizedClientException",
      "InvalidClientTokenId",
    ],
    [
      "a wrong session token",
      { ...temporary, sessionToken: "other" },
      "UnrecognizedClientException",
      "InvalidClientTokenId",
    ],
    [
      "a token with a permanent key",
      { ...good, sessionToken: "x" },
      "UnrecognizedClientException",
      "InvalidClientTokenId",
    ],
    [
      "a key without secret",
      { ...good, accessKeyId: "AKIDNOSECRET" },
      "UnrecognizedClientException",
      "InvalidClientTokenId",
    ],
  ];
  for (const [title, credentials, kmsName, stsName] of failures) {
    it(`refuses ${title}: ${kmsName} from KMS, ${stsName} from STS [I]`, async (t) => {
      const { kmsFor, stsFor } = await start(t);
      const message = title === "a wrong secret" ? /^The request signature we calculated does not match/ : undefined;
      await rejectsWith(kmsFor(credentials).send(new ListKeysCommand({})), kmsName, message);
      await rejectsWith(stsFor(credentials).send(new GetCallerIdentityCommand({})), stsName);
    });
  }

  it("refuses a skewed clock, from which the SDK recovers by the Date header", async (t) => {
    const { kmsFor, emulator } = await start(t);
    const kms = kmsFor(good);
    await kms.send(new ListKeysCommand({}));
    emulator.control.advance(6 * 60 * 1000);
    await rejectsWith(
      kms.send(new ListKeysCommand({})),
      "InvalidSignatureException",
      /^Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 5 min\.\)$/,
    );
    await kms.send(new ListKeysCommand({}));
  });

  it("refuses unsigned requests and halves of signatures", async (t) => {
    const { target, raw } = await start(t);
    const typeOf = async (headers: Record<string, string>) =>
      ((await target("ListKeys", {}, headers)).json as { __type: string }).__type;
    assert.equal(await typeOf({}), "MissingAuthenticationTokenException");
    const partial = ["AWS4-HMAC-SHA256 Credential=AKIDGOOD", "Basic abc", "AWS4-HMAC-SHA256", ""];
    for (const Authorization of partial) assert.equal(await typeOf({ Authorization }), "IncompleteSignatureException");
    const form = { "Content-Type": "application/x-www-form-urlencoded" };
    const sts = await raw(form, "Action=GetCallerIdentity&Version=2011-06-15");
    assert.equal(sts.status, 403);
    assert.match(sts.body, /<Code>MissingAuthenticationToken<\/Code>/);
  });

  it("ends sessions of AssumeRole when they expire", async (t) => {
    const { kmsFor, stsFor, emulator } = await start(t);
    const role = { RoleArn: `arn:aws:iam::${account}:role/app`, RoleSessionName: "s1", DurationSeconds: 900 };
    const sts = stsFor(good);
    const { Credentials: made } = await sts.send(new AssumeRoleCommand(role));
    const session = {
      accessKeyId: present(made?.AccessKeyId),
      secretAccessKey: present(made?.SecretAccessKey),
      sessionToken: present(made?.SessionToken),
    };
    const kms = kmsFor(session);
    await kms.send(new ListKeysCommand({}));
    emulator.control.advance(900_000);
    await rejectsWith(kms.send(new ListKeysCommand({})), "InvalidSignatureException"); // skewed by 15 minutes
    await rejectsWith(kms.send(new ListKeysCommand({})), "ExpiredTokenException");
  });

  it("notices a body that was changed on the way", async (t) => {
    const { raw, kmsFor } = await start(t);
    const kms = kmsFor(good);
    let headers: Record<string, string> = {};
    kms.middlewareStack.add(
      (next) => async (args) => {
        headers = { ...(args.request as { headers: Record<string, string> }).headers };
        return next(args);
      },
      { step: "finalizeRequest", priority: "low" },
    );
    await kms.send(new ListKeysCommand({ Limit: 5 }));
    const { "content-length": _, ...rest } = headers;
    assert.equal((await raw(rest, '{"Limit":5}')).status, 200);
    const changed = await raw(rest, '{"Limit":6}');
    assert.match(
      changed.body,
      /^\{"__type":"InvalidSignatureException","message":"The request signature we calculated does not match/,
    );
  });
});
