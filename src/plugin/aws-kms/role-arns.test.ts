/** What IAM tells of the role's path: asked seldom, checked, done without. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { sleeplessClock } from "../../../test/simulation/virtual-time.ts";
import { type IamClient, KmsError, type KmsErrorCode, type RoleInAccount } from "../../key-manager/ports.ts";
import { assumedRoleOf, isArnOfRole, plainRoleArn, RoleArns } from "./role-arns.ts";

const role: RoleInAccount = { partition: "aws", account: "111122223333", roleName: "spire-server" };
const plain = "arn:aws:iam::111122223333:role/spire-server";
const withPath = "arn:aws:iam::111122223333:role/infra/prod/spire-server";
const minuteMs = 60_000;

const failure = (code: KmsErrorCode, awsName: string) =>
  new KmsError("no", { code, operation: "GetRole", awsName, outcomeUnknown: false });
const denied = failure("ACCESS_DENIED", "AccessDenied");
const absent = failure("INVALID_REQUEST", "NoSuchEntity");
const slow = failure("TIMEOUT", "TimeoutError");

type Answer = string | undefined | Error;

/** An IAM that gives one answer after the other, and a log and a clock to go with it. */
function scene(...answers: readonly Answer[]) {
  const left = [...answers];
  const asked: RoleInAccount[] = [];
  const log: { readonly level: string; readonly fields: unknown; readonly message: string }[] = [];
  let nowMs = 0;
  const clock = sleeplessClock({ now: () => new Date(nowMs) });
  const at = (level: string) => (message: string, fields?: object) => void log.push({ level, message, fields });
  const logger = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  const iam: IamClient = {
    async getRoleArn(whom) {
      asked.push(whom);
      assert.ok(left.length > 0, "asked too often");
      const answer = left.shift();
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  const arns = new RoleArns({ clock, log: logger });
  const find = (whom = role) => arns.find(whom, iam);
  const found = (whom = role) => arns.found(whom, iam);
  return { find, found, asked, log, pass: (ms: number) => (nowMs += ms) };
}

describe("the ARN of the server's role", () => {
  it("is what IAM tells, path and all; it is asked once, also by many at a time", async () => {
    const { find, asked, log } = scene(withPath);
    assert.deepEqual(await Promise.all([find(), find()]), [withPath, withPath]);
    assert.equal(await find(), withPath);
    assert.deepEqual(asked, [role]);
    assert.deepEqual(
      log.map(({ level }) => level),
      ["debug"],
    );
  });

  it("may have no path, and is another for another account", async () => {
    const other = { ...role, account: "444455556666" };
    const { find } = scene(plain, plainRoleArn(other));
    assert.equal(await find(), plain);
    assert.equal(await find(other), "arn:aws:iam::444455556666:role/spire-server");
  });

  const silent: readonly (readonly [title: string, answer: Answer, level: string, reason: RegExp])[] = [
    ["a refusal", denied, "info", /GetRole: AccessDenied: no/],
    ["a role that IAM does not know", absent, "warn", /GetRole: NoSuchEntity: no/],
    ["no answer", slow, "warn", /GetRole: TimeoutError: no/],
    ["something that is no KmsError", new TypeError("broken"), "warn", /broken/],
    ["another role's ARN", "arn:aws:iam::111122223333:role/infra/other", "warn", /not an ARN of this role/],
  ];
  for (const [title, answer, level, reason] of silent) {
    it(`is taken to have no path after ${title}, and the log says what to do if it has one`, async () => {
      const { find, log } = scene(answer);
      assert.equal(await find(), plain);
      assert.equal(log.length, 1);
      const [line] = log;
      assert.equal(line?.level, level);
      assert.match(line.message, /names the server's role without a path/);
      const fields = line.fields as { role_arn: string; reason: string; advice: string };
      assert.equal(fields.role_arn, plain);
      assert.match(fields.reason, reason);
      assert.ok(fields.advice.includes("iam:GetRole on arn:aws:iam::111122223333:role/*/spire-server"));
      assert.ok(fields.advice.includes("key_policy_file"));
      assert.ok(fields.advice.includes("arn:aws:iam::111122223333:role/PATH/spire-server"));
    });
  }

  it("is asked for again an hour after an answer or a refusal, not before", async () => {
    for (const first of [withPath, denied, absent, plain.replace("spire-server", "*")]) {
      const { find, asked, pass } = scene(first, withPath);
      await find();
      pass(60 * minuteMs - 1);
      await find();
      assert.equal(asked.length, 1, String(first));
      pass(1);
      assert.equal(await find(), withPath);
      assert.equal(asked.length, 2);
    }
  });

  it("is asked for again a minute after a failure in passing", async () => {
    for (const code of ["TIMEOUT", "THROTTLED", "UNAVAILABLE", "ABORTED"] as const) {
      const { find, asked, pass } = scene(failure(code, code), withPath);
      assert.equal(await find(), plain);
      pass(minuteMs - 1);
      assert.equal(await find(), plain);
      assert.equal(asked.length, 1, code);
      pass(1);
      assert.equal(await find(), withPath);
    }
  });

  it("stays what IAM has told when it tells no more", async () => {
    const { find, pass } = scene(withPath, denied, slow, "nonsense", plain);
    for (const expected of [withPath, withPath, withPath, withPath, plain]) {
      assert.equal(await find(), expected);
      pass(60 * minuteMs);
    }
  });

  it("is plain where there is no IAM to ask, which is no cause for alarm", async () => {
    const { find, log } = scene(undefined, withPath);
    assert.equal(await find(), plain);
    assert.deepEqual(
      log.map(({ level }) => level),
      ["debug"],
    );
    assert.equal(await find(), withPath, "the next configuration may have one");
  });

  it("is not asked for again when a key is made, but after a failure in passing", async () => {
    for (const first of [withPath, denied, absent, undefined]) {
      const { find, found, asked, pass } = scene(first);
      const expected = await find();
      pass(1000 * 60 * minuteMs);
      assert.equal(await found(), expected);
      assert.equal(asked.length, 1, String(first));
    }
    const { find, found, asked, pass } = scene(slow, slow, withPath);
    assert.equal(await find(), plain);
    assert.equal(await found(), plain, "not at once");
    assert.equal(asked.length, 1);
    pass(minuteMs);
    assert.equal(await found(), plain);
    pass(minuteMs);
    assert.equal(await found(), withPath);
    pass(minuteMs);
    assert.equal(await found(), withPath);
    assert.equal(asked.length, 3);
  });

  it("is waited for by who makes a key while IAM is being asked", async () => {
    const { find, found, asked } = scene(withPath);
    void find();
    assert.deepEqual([await found(), asked.length], [withPath, 1]);
  });

  it("makes one line at info or warn, however often IAM keeps silent", async () => {
    const { find, log, pass } = scene(denied, slow, absent, denied);
    for (let hour = 0; hour < 4; hour++) {
      await find();
      pass(60 * minuteMs);
    }
    assert.deepEqual(
      log.map(({ level }) => level),
      ["info", "debug", "debug", "debug"],
    );
  });
});

describe("an ARN as principal", () => {
  const good = [
    "spire-server",
    "a/spire-server",
    "aws-reserved/sso.amazonaws.com/eu-west-1/spire-server",
    "a+b=,.@-_/spire-server",
  ];
  const bad = [
    "",
    "/spire-server",
    "a//spire-server",
    "*/spire-server",
    "a?/spire-server",
    "$" + "{aws:username}/spire-server",
    "a b/spire-server",
    'a"/spire-server',
    "a\n/spire-server",
    "spire-server\n",
    "é/spire-server",
    "other",
    "a/other-spire-server",
    "spire-server/",
    "spire-server/other",
    "Spire-Server",
    `${"p".repeat(600)}/spire-server`,
  ];
  const prefix = "arn:aws:iam::111122223333:role/";
  for (const rest of good) it(`may be ${rest}`, () => assert.equal(isArnOfRole(prefix + rest, role), true));
  for (const rest of bad) {
    it(`may not be ${JSON.stringify(rest.slice(0, 40))}`, () => assert.equal(isArnOfRole(prefix + rest, role), false));
  }
  for (const arn of [
    "arn:aws-cn:iam::111122223333:role/spire-server",
    "arn:aws:iam::444455556666:role/spire-server",
    "arn:aws:iam::111122223333:user/spire-server",
    "arn:aws:sts::111122223333:assumed-role/spire-server",
    " arn:aws:iam::111122223333:role/spire-server",
    "",
  ]) {
    it(`may not be ${arn || "empty"}`, () => assert.equal(isArnOfRole(arn, role), false));
  }

  it("is this role's alone, whatever IAM may send", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom("a", "/", "*", "$", ":", "-") })), (path) => {
        const isAccepted = isArnOfRole(`${prefix}${path}/${role.roleName}`, role);
        assert.equal(
          isAccepted,
          path.split("/").every((segment) => /^[A-Za-z0-9_+=,.@-]+$/.test(segment)),
        );
      }),
      { seed: 1, numRuns: 300 },
    );
  });
});

describe("an assumed role", () => {
  it("is read from a session's ARN", () => {
    for (const partition of ["aws", "aws-cn", "aws-us-gov", "aws-iso-b"]) {
      const arn = `arn:${partition}:sts::111122223333:assumed-role/spire-server/i-0123`;
      assert.deepEqual(assumedRoleOf(arn), { ...role, partition });
    }
  });

  for (const arn of [
    "arn:aws:iam::111122223333:user/spire",
    "arn:aws:iam::111122223333:root",
    "arn:aws:sts::111122223333:federated-user/spire",
    "arn:aws:sts::111122223333:assumed-role/",
    "nonsense",
  ]) {
    it(`is not ${arn}`, () => assert.equal(assumedRoleOf(arn), undefined));
  }
});
