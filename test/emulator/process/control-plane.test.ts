/** The control plane over HTTP. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { CreateKeyCommand, DescribeKeyCommand, ListKeysCommand, ScheduleKeyDeletionCommand } from "@aws-sdk/client-kms";
import { patienceMs, present, rejectsWith, startFixture } from "../fixture.ts";
import { createKey } from "../key-fixture.ts";

interface ControlReply {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: bodies of many shapes, each asserted where it is used
  readonly body: any;
}

async function start(t: TestContext) {
  const fixture = await startFixture(t, { control: {} });
  const endpoint = present(fixture.emulator.controlEndpoint);
  const send = async (method: string, path: string, body?: unknown): Promise<ControlReply> => {
    const init = body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) };
    const reply = await fetch(`${endpoint}${path}`, { method, signal: AbortSignal.timeout(patienceMs), ...init });
    return { status: reply.status, body: (await reply.json()) as unknown };
  };
  return { ...fixture, send };
}

describe("the control plane", () => {
  it("is off unless asked for", async (t) => {
    const { emulator } = await startFixture(t);
    assert.equal(emulator.controlEndpoint, undefined);
  });

  it("tells and moves the time; deletions fall due", async (t) => {
    const { kms, send } = await start(t);
    const { KeyId } = await createKey(kms);
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
    assert.deepEqual((await send("GET", "/clock")).body, { now: "2026-01-01T00:00:00.000Z" });
    const moved = await send("POST", "/clock", { advanceMs: 7 * 24 * 60 * 60 * 1000 });
    assert.deepEqual(moved.body, { now: "2026-01-08T00:00:00.000Z" });
    await rejectsWith(kms.send(new DescribeKeyCommand({ KeyId })), "NotFoundException");
  });

  it("adds, shows and removes faults", async (t) => {
    const { kms, send } = await start(t);
    const fault = {
      kind: "error",
      name: "KMSInternalException",
      operation: { pattern: "^List" },
      match: { input: { Limit: 3 } },
    };
    const added = await send("POST", "/faults", fault);
    assert.deepEqual([added.status, added.body], [201, { id: "1", hits: 0, fault }]);
    await kms.send(new ListKeysCommand({}));
    await rejectsWith(kms.send(new ListKeysCommand({ Limit: 3 })), "KMSInternalException");
    assert.deepEqual((await send("GET", "/faults")).body, { faults: [{ id: "1", hits: 1, fault }] });
    assert.equal((await send("GET", "/faults/1")).body.hits, 1);
    assert.equal((await send("DELETE", "/faults/1")).body.hits, 1);
    await kms.send(new ListKeysCommand({ Limit: 3 }));
    assert.equal((await send("GET", "/faults/1")).status, 404);
    await send("POST", "/faults", { kind: "lost-reply", operation: ["ListKeys"] });
    await send("DELETE", "/faults");
    await kms.send(new ListKeysCommand({}));
  });

  it("holds and releases calls", async (t) => {
    const { kms, send } = await start(t);
    const { body } = await send("POST", "/pauses", { operation: "CreateKey", when: "after" });
    assert.equal((await send("GET", `/pauses/${body.id}`)).body.reached, false);
    const held = kms.send(new CreateKeyCommand({}));
    const waited = await send("GET", `/pauses/${body.id}?waitMs=10000`);
    assert.deepEqual([waited.body.reached, waited.body.record.operation], [true, "CreateKey"]);
    assert.equal((await kms.send(new ListKeysCommand({}))).Keys?.length, 1);
    assert.deepEqual((await send("DELETE", `/pauses/${body.id}`)).body, { id: body.id, reached: true });
    await held;
    assert.equal((await send("GET", `/pauses/${body.id}`)).status, 404);
  });

  it("shows the journal as AWS's wire would, from a sequence number on", async (t) => {
    const { kms, send, emulator } = await start(t);
    const { KeyId } = await createKey(kms);
    await kms.send(new DescribeKeyCommand({ KeyId: "x" })).catch(() => {});
    const { records } = (await send("GET", "/journal")).body;
    assert.equal(records.length, 2);
    assert.equal(records[0].output.KeyMetadata.KeyId, KeyId);
    assert.equal(records[0].output.KeyMetadata.CreationDate, emulator.control.now().getTime() / 1000);
    assert.equal(records[0].time, "2026-01-01T00:00:00.000Z");
    assert.deepEqual(records[1].error, { name: "NotFoundException", message: "Invalid keyId 'x'" });
    assert.equal((await send("GET", "/journal?after=1")).body.records.length, 1);
    await send("DELETE", "/journal");
    assert.deepEqual((await send("GET", "/journal")).body, { records: [] });
  });

  it("calls operations, dumps the state and loads it elsewhere", async (t) => {
    const { kms, send } = await start(t);
    const called = await send("POST", "/call", { operation: "CreateKey", input: { Description: "by control" } });
    const { KeyId } = called.body.output.KeyMetadata;
    const failed = await send("POST", "/call", {
      operation: "DescribeKey",
      input: { KeyId: "x" },
      region: "eu-west-1",
    });
    assert.deepEqual(failed.body, { error: { name: "NotFoundException", message: "Invalid keyId 'x'", status: 400 } });
    const state = (await send("GET", "/state")).body;
    const elsewhere = await start(t);
    assert.equal((await elsewhere.send("PUT", "/state", state)).status, 200);
    const described = await elsewhere.kms.send(new DescribeKeyCommand({ KeyId }));
    assert.equal(described.KeyMetadata?.Description, "by control");
    assert.equal((await elsewhere.send("PUT", "/state", { records: [] })).status, 400);
    await kms.send(new DescribeKeyCommand({ KeyId }));
    await elsewhere.kms.send(new DescribeKeyCommand({ KeyId }));
  });

  const nonsense: readonly [string, string, unknown, RegExp][] = [
    ["POST", "/clock", { advanceMs: -1 }, /advanceMs must be a number >= 0/],
    ["POST", "/clock", "{", /not JSON/],
    ["POST", "/clock", [], /must be a JSON object/],
    ["POST", "/faults", { kind: "boom" }, /no fault of kind boom/],
    ["POST", "/faults", { kind: "delay" }, /ms must be a number/],
    ["POST", "/faults", { kind: "delay", ms: 1, operations: "Sign" }, /there is no operations; known are/],
    ["POST", "/faults", { kind: "reset", operation: { pattern: "(" } }, /operation\.pattern/],
    ["POST", "/pauses", { operation: "Sign", when: "during" }, /when must be before or after/],
    ["POST", "/pauses", { when: "before" }, /operation is missing/],
    ["POST", "/call", { operation: "Nope" }, /no operation Nope/],
    ["POST", "/call", { operation: "ListKeys", arn: "x" }, /not the ARN of/],
  ];
  for (const [method, path, body, message] of nonsense) {
    it(`refuses ${method} ${path} ${JSON.stringify(body)}`, async (t) => {
      const { send } = await start(t);
      const reply = await send(method, path, body);
      assert.equal(reply.status, 400);
      assert.match(reply.body.error, message);
    });
  }

  it("has nothing under other paths", async (t) => {
    const { send } = await start(t);
    for (const path of ["/nope", "/faults/99", "/clock/1"]) assert.equal((await send("GET", path)).status, 404);
  });
});
