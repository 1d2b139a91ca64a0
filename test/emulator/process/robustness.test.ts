/** Bad input is answered, never crashes the emulator, never hangs a client. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { describe, it } from "node:test";
import fc from "fast-check";
import { AwsException, manualClock } from "../../../src/kms-emulator/index.ts";
import { operations } from "../../../src/kms-emulator/operations/index.ts";
import { createTestEngine } from "../../fixtures/test-emulator.ts";
import { patienceMs, type RawReply, startFixture } from "../fixture.ts";

const wellFormed = JSON.stringify({
  KeyId: "1234abcd-12ab-34cd-56ef-1234567890ab",
  Message: "AAAA",
  SigningAlgorithm: "ECDSA_SHA_256",
});

/** Whatever was asked, an answer of a service, and not one that admits to a defect. */
function isAnAnswer(reply: RawReply): void {
  assert.ok(reply.status >= 200 && reply.status < 500, `${reply.status} ${reply.body.slice(0, 200)}`);
}

const memberNames = [
  "KeyId",
  "TargetKeyId",
  "AliasName",
  "Message",
  "MessageType",
  "SigningAlgorithm",
  "Signature",
  "GrantTokens",
  "DryRun",
  "Limit",
  "Marker",
  "Tags",
  "TagKeys",
  "Policy",
  "PolicyName",
  "Description",
  "KeySpec",
  "KeyUsage",
  "MultiRegion",
  "PendingWindowInDays",
  "ReplicaRegion",
  "PrimaryRegion",
  "RoleArn",
  "RoleSessionName",
  "Origin",
  "WebIdentityToken",
  "DurationSeconds",
  "TagFilters",
  "ResourceARNList",
  "PaginationToken",
  "ResourcesPerPage",
];

/** Values that come close to being right, and values that do not. */
const memberValue = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    "",
    "alias/a",
    "alias/aws/ebs",
    "ECC_NIST_P256",
    "SIGN_VERIFY",
    "RAW",
    "DIGEST",
    "ECDSA_SHA_256",
    0,
    -1,
    7,
    50,
    true,
    "AAAA",
    "eu-west-1",
    "arn:aws:kms:us-east-1:111122223333:key/x",
    "arn:",
    "arn:aws:iam::111122223333:role/app",
    "{}",
    '{"Statement":[]}',
    '{"Statement":{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}}',
    "a.b.c",
    "eyJhbGciOiJub25lIn0.e30.",
    [],
    {},
    [null],
    [{}],
    ["a"],
    [{ TagKey: "a", TagValue: "b" }],
    "1234abcd-12ab-34cd-56ef-1234567890ab",
    "__proto__",
    "constructor",
  ),
  fc.string({ maxLength: 20, unit: "binary" }),
  fc.jsonValue({ maxDepth: 2 }),
  fc.double(),
);

const input = fc.oneof(
  fc.dictionary(fc.constantFrom(...memberNames), memberValue, { maxKeys: 8 }),
  fc.jsonValue({ maxDepth: 3 }),
);

describe("bad input", () => {
  it("cut off at any byte is answered", async (t) => {
    const { target } = await startFixture(t);
    for (let length = 0; length < wellFormed.length; length += 1) {
      const reply = await target("Sign", wellFormed.slice(0, length));
      isAnAnswer(reply);
      assert.equal(reply.status, 400);
    }
  });

  it("of any kind, to any operation, gives an output or a client's fault: no internal error", async () => {
    const { control } = createTestEngine({ clock: manualClock(), journalLimit: 0 });
    const names = [...operations.keys()];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), input, async (operation, given) => {
        try {
          await control.callByName(operation, given);
        } catch (error) {
          assert.ok(error instanceof AwsException, String(error));
          assert.ok(error.status < 500, `${operation} ${JSON.stringify(given)}: ${error.code} ${error.message}`);
        }
      }),
      { numRuns: Number(process.env.EMULATOR_FUZZ_RUNS ?? 2_000), seed: 20260101 },
    );
  });

  it("as raw bytes is answered or refused, and the emulator serves on", async (t) => {
    const { raw, target } = await startFixture(t);
    const bodies = fc.sample(fc.uint8Array({ maxLength: 300 }), { numRuns: 60, seed: 5 });
    const types = ["application/x-amz-json-1.1", "application/x-www-form-urlencoded", "text/plain"];
    for (const [index, body] of bodies.entries()) {
      const headers: Record<string, string> = { "Content-Type": types[index % 3] ?? "" };
      if (index % 2 === 0) headers["X-Amz-Target"] = "TrentService.CreateKey";
      isAnAnswer(await raw(headers, Buffer.from(body)));
    }
    assert.equal((await target("ListKeys", {})).status, 200);
  });

  it("of great depth, breadth or with tricky names is answered", async (t) => {
    const { target, raw } = await startFixture(t);
    const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;
    const tags = Array.from({ length: 10_000 }, (_, index) => ({ TagKey: `${index}`, TagValue: "" }));
    const bodies = [
      deep,
      `{"KeyId":${deep}}`,
      JSON.stringify({ Tags: tags }),
      '{"__proto__":{"KeyId":"x"},"constructor":{"prototype":1}}',
      '{"KeyId":"\\ud800"}',
      '{"KeyId":"a","KeyId":"b"}',
    ];
    for (const body of bodies) isAnAnswer(await target("CreateKey", body));
    for (const body of bodies) isAnAnswer(await target("DescribeKey", body));
    const form = { "Content-Type": "application/x-www-form-urlencoded" };
    const nested = `Action=AssumeRole&${"a.".repeat(5000)}b=1&Tags.member.1.Key=x&Tags=1&__proto__.x=1&=&&%zz=%`;
    isAnAnswer(await raw(form, nested));
    isAnAnswer(await raw({}, "", "POST", `/?${"a=b&".repeat(1000)}Action=GetCallerIdentity`));
    isAnAnswer(await raw({ "X-Amz-Target": "TrentService.ListKeys" }, "{}", "POST", "/%E0%A4%A"));
    assert.equal(({} as { KeyId?: string }).KeyId, undefined, "no prototype was polluted");
  });

  it("in headers is answered", async (t) => {
    const { target } = await startFixture(t, { verifySignatures: true });
    const odd = [
      "AWS4-HMAC-SHA256 Credential=////, SignedHeaders=, Signature=",
      `AWS4-HMAC-SHA256 Credential=${"a".repeat(5000)}/1/2/3/aws4_request, SignedHeaders=host, Signature=x`,
      "AWS4-HMAC-SHA256 Credential=a/b/../kms/aws4_request, SignedHeaders=host;;, Signature=%00",
    ];
    for (const Authorization of odd) {
      const reply = await target("ListKeys", {}, { Authorization, "X-Amz-Date": "99999999T999999Z" });
      assert.equal(reply.status, 400);
    }
  });
});

/** Sends `text` and nothing more; resolves with what came back when the server ended the connection. */
function sendAndWait(endpoint: string, text: string): Promise<string> {
  const { hostname, port } = new URL(endpoint);
  return new Promise((resolve) => {
    let received = "";
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.on("data", (chunk: Buffer) => {
      received += chunk.toString();
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(received));
    socket.setTimeout(patienceMs, () => {
      received += "<the test's own timeout>";
      socket.destroy();
    });
  });
}

describe("a client that does not finish", () => {
  const cases: readonly [string, string][] = [
    ["its headers", "POST / HTTP/1.1\r\nHost: a\r\n"],
    ["its body", "POST / HTTP/1.1\r\nHost: a\r\nX-Amz-Target: TrentService.ListKeys\r\nContent-Length: 10\r\n\r\n{"],
    ["its chunks", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"],
  ];
  for (const [what, text] of cases) {
    it(`sending ${what} is cut off`, async (t) => {
      const { emulator, target } = await startFixture(t, { requestTimeoutMs: 200 });
      const received = await sendAndWait(emulator.endpoint, text);
      assert.doesNotMatch(received, /own timeout/);
      assert.equal((await target("ListKeys", {})).status, 200);
    });
  }

  it("and talks no HTTP is refused", async (t) => {
    const { emulator, target } = await startFixture(t);
    for (const text of [
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
      "GARBAGE\r\n\r\n",
      "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
    ]) {
      assert.match(await sendAndWait(emulator.endpoint, text), /^HTTP\/1\.1 400 /);
    }
    assert.equal((await target("ListKeys", {})).status, 200);
  });

  it("and goes away in the middle does no harm", async (t) => {
    const { emulator, target } = await startFixture(t);
    const { hostname, port } = new URL(emulator.endpoint);
    const pause = emulator.control.pause({ operation: "ListKeys", when: "before" });
    const impatient = connect(Number(port), hostname, () => {
      impatient.write(
        "POST / HTTP/1.1\r\nHost: a\r\nX-Amz-Target: TrentService.ListKeys\r\nContent-Length: 2\r\n\r\n{}",
      );
    });
    const record = await pause.reached;
    await new Promise<void>((resolve) => impatient.destroy().on("close", () => resolve()));
    pause.release();
    assert.equal((await target("ListAliases", {})).status, 200);
    assert.equal(record.outcome, "ok");
  });
});
