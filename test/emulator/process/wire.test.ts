/** Requests, answers and error bodies on AWS's wire. */
import assert from "node:assert/strict";
import { Agent, request } from "node:http";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { CreateAliasCommand, ListKeysCommand } from "@aws-sdk/client-kms";
import { account, anyCredentials, present, startFixture } from "../fixture.ts";
import { createKey } from "../key-fixture.ts";

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** docs/aws-kms-behaviour.md, "Wire protocol". */
describe("KMS on the wire", () => {
  it("answers 200 with AWS's headers and the emulator's time", async (t) => {
    const { target } = await startFixture(t);
    const reply = await target("ListKeys", {});
    assert.equal(reply.status, 200);
    assert.equal(reply.headers["content-type"], "application/x-amz-json-1.1");
    assert.match(String(reply.headers["x-amzn-requestid"]), uuid);
    assert.equal(reply.headers.date, "Thu, 01 Jan 2026 00:00:00 GMT");
    assert.equal(reply.headers["content-length"], String(reply.body.length));
    assert.equal(reply.body, '{"Keys":[],"Truncated":false}');
  });

  it("answers operations without output with an empty body", async (t) => {
    const { kms, target } = await startFixture(t);
    const { KeyId, Arn } = await createKey(kms);
    const policy = JSON.stringify({
      Statement: { Effect: "Allow", Principal: { AWS: account }, Action: "kms:*", Resource: "*" },
    });
    const silent: readonly [string, object][] = [
      ["CreateAlias", { AliasName: "alias/a", TargetKeyId: KeyId }],
      ["UpdateAlias", { AliasName: "alias/a", TargetKeyId: Arn }],
      ["DeleteAlias", { AliasName: "alias/a" }],
      ["DisableKey", { KeyId }],
      ["EnableKey", { KeyId }],
      ["TagResource", { KeyId, Tags: [{ TagKey: "a", TagValue: "b" }] }],
      ["UntagResource", { KeyId, TagKeys: ["a"] }],
      ["PutKeyPolicy", { KeyId, Policy: policy }],
      ["UpdateKeyDescription", { KeyId, Description: "d" }],
    ];
    for (const [operation, input] of silent) {
      const reply = await target(operation, input);
      assert.deepEqual(
        [operation, reply.status, reply.body, reply.headers["content-length"]],
        [operation, 200, "", "0"],
      );
    }
  });

  it("writes times as seconds with milliseconds as the fraction, and bytes as padded base64", async (t) => {
    const { target, emulator } = await startFixture(t);
    emulator.control.advance(191);
    const made = await target("CreateKey", { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" });
    assert.match(made.body, /"CreationDate":1767225600\.191,/);
    const { KeyId } = (made.json as { KeyMetadata: { KeyId: string } }).KeyMetadata;
    const { PublicKey } = (await target("GetPublicKey", { KeyId })).json as { PublicKey: string };
    assert.match(PublicKey, /^MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE[A-Za-z0-9+/]{86}==$/);
  });

  it("answers errors with __type and message, 400 for client faults", async (t) => {
    const { target } = await startFixture(t);
    const reply = await target("DescribeKey", { KeyId: "fake" });
    assert.equal(reply.status, 400);
    assert.equal(reply.body, '{"__type":"NotFoundException","message":"Invalid keyId \'fake\'"}');
    assert.equal(reply.headers["x-amzn-errortype"], "NotFoundException");
    assert.match(String(reply.headers["x-amzn-requestid"]), uuid);
  });

  it("sends KMSInvalidSignatureException without any message", async (t) => {
    const { kms, target } = await startFixture(t);
    const { KeyId } = await createKey(kms);
    const input = { KeyId, Message: "AAAA", Signature: "AAAA", SigningAlgorithm: "ECDSA_SHA_256" };
    assert.equal((await target("Verify", input)).body, '{"__type":"KMSInvalidSignatureException"}');
  });

  it("ignores unknown members and takes null for absent [I]", async (t) => {
    const { target } = await startFixture(t);
    const reply = await target("ListKeys", { Limit: null, Marker: null, Unknown: { deep: [1] } });
    assert.equal(reply.status, 200);
  });

  it("takes an empty body for an empty structure", async (t) => {
    const { target } = await startFixture(t);
    assert.equal((await target("ListKeys", "")).status, 200);
  });

  const wrongTypes: readonly [string, unknown][] = [
    ["ListKeys", { Limit: "5x" }],
    ["ListKeys", { Limit: 1.5 }],
    ["ListKeys", { Limit: true }],
    ["ListKeys", { Limit: {} }],
    ["ListKeys", []],
    ["ListKeys", 7],
    ["ListKeys", "null"],
    ["DescribeKey", { KeyId: 5 }],
    ["DescribeKey", { KeyId: ["a"] }],
    ["CreateKey", { MultiRegion: "true" }],
    ["CreateKey", { Tags: { TagKey: "a" } }],
    ["CreateKey", { Tags: ["a"] }],
    ["Sign", { KeyId: "a", Message: "not base64!", SigningAlgorithm: "ECDSA_SHA_256" }],
    ["Sign", { KeyId: "a", Message: "AAA", SigningAlgorithm: "ECDSA_SHA_256" }],
  ];
  for (const [operation, input] of wrongTypes) {
    it(`answers SerializationException to ${operation} ${JSON.stringify(input)} [I]`, async (t) => {
      const { target } = await startFixture(t);
      const reply = await target(operation, input);
      assert.deepEqual([reply.status, (reply.json as { __type: string }).__type], [400, "SerializationException"]);
    });
  }

  for (const targetHeader of [
    "TrentService.Nope",
    "TrentService",
    "TrentService.",
    "Other.ListKeys",
    "TrentService.GetResources",
    "TrentService.__proto__",
  ]) {
    it(`answers UnknownOperationException to the target ${targetHeader}`, async (t) => {
      const { raw } = await startFixture(t);
      const reply = await raw({ "X-Amz-Target": targetHeader }, "{}");
      assert.equal(reply.status, 400);
      assert.match(reply.body, /^\{"__type":"UnknownOperationException"/);
    });
  }

  it("is POST only, and needs a target", async (t) => {
    const { raw } = await startFixture(t);
    for (const method of ["GET", "PUT", "DELETE", "OPTIONS"]) {
      const reply = await raw({ "X-Amz-Target": "TrentService.ListKeys" }, "", method);
      assert.match(reply.body, /UnknownOperationException/);
    }
    assert.match((await raw({}, "{}")).body, /UnknownOperationException/);
  });
});

describe("a Region", () => {
  const regionOf = (body: string) => /arn:aws(?:-cn|-us-gov)?:kms:([a-z0-9-]+):/.exec(body)?.[1];
  const hosts: readonly [string, string][] = [
    ["kms.eu-west-1.amazonaws.com", "eu-west-1"],
    ["kms.eu-west-1.amazonaws.com:443", "eu-west-1"],
    ["kms-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"],
    ["KMS.EU-CENTRAL-2.localhost:1234", "eu-central-2"],
    ["vpce-0ab.kms.ap-southeast-1.vpce.amazonaws.com", "ap-southeast-1"],
    ["localhost:1234", "sa-east-1"],
    ["my-host-1", "sa-east-1"],
  ];
  for (const [Host, expected] of hosts) {
    it(`of the host name ${Host} is ${expected} (the signature says sa-east-1)`, async (t) => {
      const { target } = await startFixture(t);
      const Authorization =
        "AWS4-HMAC-SHA256 Credential=AKID/20260101/sa-east-1/kms/aws4_request, SignedHeaders=host, Signature=0";
      assert.equal(regionOf((await target("CreateKey", {}, { Host, Authorization })).body), expected);
    });
  }

  it("is the emulator's own without signature or telling host name", async (t) => {
    const { target } = await startFixture(t, { region: "cn-north-1" });
    const { body } = await target("CreateKey", {});
    assert.match(body, /"arn:aws-cn:kms:cn-north-1:111122223333:key\//);
  });

  it("and account keep their keys and aliases apart", async (t) => {
    const { kms, kmsFor } = await startFixture(t);
    const key = await createKey(kms);
    const AliasName = "alias/same";
    await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: key.KeyId }));
    const others = [kmsFor(anyCredentials, "eu-west-1"), kmsFor({ accessKeyId: "444455556666", secretAccessKey: "s" })];
    for (const other of others) {
      assert.deepEqual((await other.send(new ListKeysCommand({}))).Keys, []);
      await other.send(new CreateAliasCommand({ AliasName, TargetKeyId: (await createKey(other)).KeyId }));
    }
    const other = present(others[1]);
    assert.match((await createKey(other)).Arn, /:444455556666:/);
  });
});

describe("HTTP", () => {
  it("keeps connections alive, also over errors", async (t) => {
    const { emulator } = await startFixture(t);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    t.after(() => agent.destroy());
    const ports = new Set<number | undefined>();
    for (const operation of ["ListKeys", "Nope", "DescribeKey", "ListKeys"]) {
      await new Promise<void>((resolve, reject) => {
        const headers = { "X-Amz-Target": `TrentService.${operation}` };
        const outgoing = request(emulator.endpoint, { method: "POST", agent, headers }, (incoming) => {
          ports.add(incoming.socket.localPort);
          incoming.resume().on("end", resolve);
        });
        outgoing.on("error", reject).end("{}");
      });
    }
    assert.equal(ports.size, 1);
  });

  it("answers Expect: 100-continue", async (t) => {
    const { emulator } = await startFixture(t);
    const headers = { "X-Amz-Target": "TrentService.ListKeys", Expect: "100-continue", "Content-Length": "2" };
    const status = await new Promise((resolve, reject) => {
      const outgoing = request(emulator.endpoint, { method: "POST", agent: false, headers }, (incoming) => {
        incoming.resume();
        resolve(incoming.statusCode);
      });
      outgoing.on("error", reject).on("continue", () => outgoing.end("{}"));
      outgoing.flushHeaders();
    });
    assert.equal(status, 200);
  });

  it("takes chunked bodies", async (t) => {
    const { raw } = await startFixture(t);
    const reply = await raw({ "X-Amz-Target": "TrentService.ListKeys", "Transfer-Encoding": "chunked" }, '{"Limit":5}');
    assert.equal(reply.status, 200);
  });

  it("refuses compressed bodies clearly", async (t) => {
    const { raw } = await startFixture(t);
    const reply = await raw({ "X-Amz-Target": "TrentService.ListKeys", "Content-Encoding": "gzip" }, gzipSync("{}"));
    assert.equal(reply.status, 415);
    assert.match(reply.body, /"Content-Encoding gzip is not supported\."/);
  });

  it("refuses bodies over 1 MiB, after reading them", async (t) => {
    const { raw } = await startFixture(t);
    const reply = await raw({ "X-Amz-Target": "TrentService.ListKeys" }, Buffer.alloc(8 * 1024 * 1024, 0x20));
    assert.equal(reply.status, 413);
    assert.match(reply.body, /^\{"__type":"RequestEntityTooLargeException"/);
    assert.equal(reply.headers.connection, "close");
  });
});
