/** Faults and pauses, as clients see them. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import {
  CreateKeyCommand,
  DescribeKeyCommand,
  KMSClient,
  ListAliasesCommand,
  ListKeysCommand,
  SignCommand,
} from "@aws-sdk/client-kms";
import { EmulatorError, type Fault } from "../../../src/kms-emulator/index.ts";
import { anyCredentials, present, region, rejectsWith, startFixture } from "../fixture.ts";
import { createAlias, createKey } from "../key-fixture.ts";

const listKeys = () => new ListKeysCommand({});
const newKey = () => new CreateKeyCommand({});

const start = async (t: TestContext, fault?: Fault) => {
  const fixture = await startFixture(t);
  const { control } = fixture.emulator;
  const outcomes = () => control.journal().map((record) => `${record.operation} ${record.outcome}`);
  const handle = control.addFault(fault ?? { kind: "delay", ms: 0, times: 0 });
  return { ...fixture, control, outcomes, handle };
};

describe("a fault", () => {
  it("error: answers with any exception instead of carrying the call out", async (t) => {
    const { kms, handle, outcomes } = await start(t, {
      kind: "error",
      name: "KMSInternalException",
      message: "injected",
      operation: "CreateKey",
      times: 1,
    });
    await rejectsWith(kms.send(newKey()), "KMSInternalException", "injected");
    assert.deepEqual((await kms.send(listKeys())).Keys, []);
    await kms.send(newKey());
    assert.equal(handle.hits, 1);
    assert.deepEqual(outcomes(), ["CreateKey error", "ListKeys ok", "CreateKey ok"]);
  });

  it("error: has AWS's status for the name, or another", async (t) => {
    const { target, control } = await start(t);
    const statusOf = async (name: string, status?: number) => {
      control.clearFaults();
      control.addFault({ kind: "error", name, ...(status === undefined ? {} : { status }) });
      return (await target("ListKeys", {})).status;
    };
    assert.equal(await statusOf("KMSInternalException"), 500);
    assert.equal(await statusOf("DependencyTimeoutException"), 503);
    assert.equal(await statusOf("NotFoundException"), 400);
    assert.equal(await statusOf("SomethingElse"), 400);
    assert.equal(await statusOf("NotFoundException", 404), 404);
  });

  it("lost-reply: the call happens and the connection is cut", async (t) => {
    const { kms, control, outcomes } = await start(t, { kind: "lost-reply", operation: "CreateKey", times: 1 });
    await assert.rejects(kms.send(newKey()), /socket hang up|ECONNRESET/);
    assert.equal((await kms.send(listKeys())).Keys?.length, 1);
    assert.deepEqual(outcomes(), ["CreateKey lost", "ListKeys ok"]);
    assert.ok(control.journal()[0]?.output, "the journal knows what got lost");
  });

  it("lost-reply: makes an SDK that retries create two keys", async (t) => {
    const { emulator } = await start(t, { kind: "lost-reply", operation: "CreateKey", times: 1 });
    const kms = new KMSClient({ endpoint: emulator.endpoint, region, credentials: anyCredentials });
    t.after(() => kms.destroy());
    await kms.send(newKey());
    assert.equal((await kms.send(listKeys())).Keys?.length, 2);
  });

  it("reset: the connection is cut and nothing happens", async (t) => {
    const { kms, outcomes } = await start(t, { kind: "reset", operation: "CreateKey", times: 1 });
    await assert.rejects(kms.send(newKey()), /ECONNRESET|socket hang up/);
    assert.deepEqual((await kms.send(listKeys())).Keys, []);
    assert.deepEqual(outcomes(), ["CreateKey reset", "ListKeys ok"]);
  });

  it("http-500: a page that no AWS service wrote", async (t) => {
    const { target, kms, control } = await start(t, { kind: "http-500", times: 1 });
    const reply = await target("ListKeys", {}).catch((error: unknown) => error);
    assert.ok(reply instanceof SyntaxError, "not JSON");
    control.addFault({ kind: "http-500", status: 503, times: 1 });
    await assert.rejects(kms.send(listKeys()), (error: { $metadata?: { httpStatusCode?: number } }) => {
      return error.$metadata?.httpStatusCode === 503;
    });
  });

  it("delay: holds the call that long, and others not at all", async (t) => {
    const { kms } = await start(t, { kind: "delay", ms: 300, operation: "CreateKey" });
    const order: string[] = [];
    await Promise.all([
      kms.send(newKey()).then(() => order.push("CreateKey")),
      kms.send(listKeys()).then(() => order.push("ListKeys")),
    ]);
    assert.deepEqual(order, ["ListKeys", "CreateKey"]);
  });

  it("throttle: lets a rate through on the emulator's clock", async (t) => {
    const { control, handle, target } = await start(t, { kind: "throttle", perSecond: 3, operation: /^List/ });
    const burst = async () => {
      let passed = 0;
      for (let index = 0; index < 10; index += 1) {
        await control.call("ListKeys", {}).then(
          () => {
            passed += 1;
          },
          (error: Error) => assert.equal(error.name, "ThrottlingException"),
        );
      }
      return passed;
    };
    assert.equal(await burst(), 3);
    assert.equal(await burst(), 0);
    control.advance(2000);
    assert.equal(await burst(), 3);
    assert.equal(handle.hits, 7 + 10 + 7);
    await control.call("CreateKey", {});
    const reply = await target("ListKeys", {});
    assert.deepEqual(
      [reply.status, reply.json],
      [
        400,
        {
          __type: "ThrottlingException",
          message: "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.",
        },
      ],
    );
  });

  it("consistency-lag: reads show the past, for as long as it says", async (t) => {
    const { kms, control } = await start(t, {
      kind: "consistency-lag",
      ms: 5000,
      operation: ["DescribeKey", "ListAliases", "ListKeys"],
    });
    const key = await createKey(kms);
    const { KeyId } = key;
    const describe_ = () => kms.send(new DescribeKeyCommand({ KeyId }));
    const aliases = async () => present((await kms.send(new ListAliasesCommand({ KeyId }))).Aliases).length;
    await rejectsWith(describe_(), "NotFoundException");
    assert.deepEqual((await kms.send(listKeys())).Keys, []);
    const signing = { KeyId, Message: new Uint8Array(32), SigningAlgorithm: "ECDSA_SHA_256" } as const;
    await kms.send(new SignCommand(signing));
    control.advance(5000);
    await describe_();
    await createAlias(kms, "alias/a", key);
    assert.equal(await aliases(), 0);
    control.advance(4999);
    assert.equal(await aliases(), 0);
    control.advance(1);
    assert.equal(await aliases(), 1);
    await control.call("DeleteAlias", { AliasName: "alias/a" });
    assert.equal(await aliases(), 1, "deleted aliases linger");
    await control.call("DisableKey", { KeyId });
    assert.equal((await describe_()).KeyMetadata?.KeyState, "Enabled");
    control.clearFaults();
    assert.equal(await aliases(), 0);
    assert.equal((await describe_()).KeyMetadata?.KeyState, "Disabled");
  });

  it("consistency-lag: a write through a stale read does not undo a newer one", async (t) => {
    const { control } = await start(t);
    const made = (await control.call("CreateKey", {})) as { KeyMetadata: { KeyId: string } };
    const { KeyId } = made.KeyMetadata;
    control.addFault({ kind: "consistency-lag", ms: 60_000, operation: "TagResource" });
    control.advance(120_000);
    for (const TagKey of ["a", "b"]) await control.call("TagResource", { KeyId, Tags: [{ TagKey, TagValue: "" }] });
    const { Tags } = (await control.callByName("ListResourceTags", { KeyId })) as { Tags: { TagKey: string }[] };
    assert.deepEqual(
      Tags.map((tag) => tag.TagKey),
      ["a", "b"],
    );
  });

  it("corrupt-signature: a signature that does not verify", async (t) => {
    const { control } = await start(t, { kind: "corrupt-signature", times: 1 });
    const spec = { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" };
    const { KeyMetadata } = (await control.callByName("CreateKey", spec)) as { KeyMetadata: { KeyId: string } };
    control.clearFaults();
    control.addFault({ kind: "corrupt-signature", times: 1, operation: "Sign" });
    const input = { KeyId: KeyMetadata.KeyId, Message: "AAAA", SigningAlgorithm: "ECDSA_SHA_256" };
    const verdicts: string[] = [];
    for (let index = 0; index < 2; index += 1) {
      const { Signature } = (await control.callByName("Sign", input)) as { Signature: Uint8Array };
      const verdict = control.callByName("Verify", { ...input, Signature }).then(
        () => "valid",
        (error: Error) => error.name,
      );
      verdicts.push(await verdict);
    }
    assert.deepEqual(verdicts, ["KMSInvalidSignatureException", "valid"]);
  });

  it("hits by probability, repeatably by seed", async (t) => {
    const run = async () => {
      const { emulator } = await startFixture(t, { seed: 7 });
      emulator.control.addFault({ kind: "error", name: "X", probability: 0.3 });
      const hits: boolean[] = [];
      for (let index = 0; index < 100; index += 1) {
        hits.push(
          await emulator.control.call("ListKeys", {}).then(
            () => false,
            () => true,
          ),
        );
      }
      return hits;
    };
    const first = await run();
    assert.deepEqual(await run(), first);
    const count = first.filter(Boolean).length;
    assert.ok(count > 10 && count < 60, String(count));
  });

  it("that could not work is refused", async (t) => {
    const { control } = await start(t);
    const unsound = [
      { kind: "boom" },
      { kind: "delay", ms: -1 },
      { kind: "delay", ms: 2 ** 31 },
      { kind: "throttle", perSecond: Number.NaN },
      { kind: "error", name: "Two\nLines" },
      { kind: "error", name: "X", status: 7 },
      { kind: "reset", probability: 2 },
      { kind: "reset", times: -1 },
    ];
    for (const fault of unsound) assert.throws(() => control.addFault(fault as Fault), EmulatorError);
  });

  it("can look at input and caller, and be removed", async (t) => {
    const { control } = await start(t);
    const handle = control.addFault({
      kind: "error",
      name: "AccessDeniedException",
      match: (input, caller) => (input as { Limit?: number }).Limit === 7 && caller.account === "444455556666",
    });
    await control.call("ListKeys", { Limit: 7 });
    await control.call("ListKeys", { Limit: 8 }, { account: "444455556666" });
    const hit = () => control.call("ListKeys", { Limit: 7 }, { account: "444455556666" });
    await rejectsWith(hit(), "AccessDeniedException");
    handle.remove();
    await hit();
    assert.equal(handle.hits, 1);
  });
});

describe("a pause", () => {
  it("before: holds one call back while others go on", async (t) => {
    const { kms, control } = await start(t);
    const pause = control.pause({ operation: "CreateKey", when: "before" });
    const held = kms.send(newKey());
    const record = await pause.reached;
    assert.deepEqual([record.operation, record.outcome], ["CreateKey", "pending"]);
    assert.deepEqual((await kms.send(listKeys())).Keys, [], "it has not taken effect");
    await kms.send(newKey());
    pause.release();
    await held;
    assert.equal((await kms.send(listKeys())).Keys?.length, 2);
    assert.equal(record.outcome, "ok");
  });

  it("after: holds the reply of a call that took effect", async (t) => {
    const { kms, control } = await start(t);
    const pause = control.pause({ operation: "CreateKey", when: "after", nth: 2 });
    await kms.send(newKey());
    const held = kms.send(newKey());
    await pause.reached;
    assert.equal((await kms.send(listKeys())).Keys?.length, 2);
    pause.release();
    await held;
  });

  it("released before it was reached is cancelled", async (t) => {
    const { kms, control } = await start(t);
    control.pause({ operation: "ListKeys", when: "before" }).release();
    await kms.send(listKeys());
  });

  it("ends with the emulator: close is bounded", async (t) => {
    const { kms, emulator, control } = await start(t, { kind: "delay", ms: 600_000, operation: "ListAliases" });
    const pause = control.pause({ operation: "CreateKey", when: "before" });
    const never = control.pause({ operation: "DescribeKey", when: "before" });
    const calls = [kms.send(newKey()), kms.send(new ListAliasesCommand({}))].map((sent) => sent.catch(() => "cut"));
    await pause.reached;
    await emulator.close();
    assert.deepEqual(await Promise.all(calls), ["cut", "cut"]);
    await assert.rejects(never.reached, (error) => error instanceof EmulatorError && error.code === "CLOSED");
  });
});

describe("the journal", () => {
  it("has caller, Region, input, output or error of each call, in order of arrival", async (t) => {
    const { kms, control, emulator } = await start(t);
    await kms.send(new DescribeKeyCommand({ KeyId: "x" })).catch(() => {});
    await control.call("ListKeys", { Limit: 3 }, { region: "eu-west-1", account: "444455556666" });
    const [first, second] = control.journal();
    assert.deepEqual(first?.input, { KeyId: "x" });
    assert.deepEqual(first?.error, { name: "NotFoundException", message: "Invalid keyId 'x'" });
    assert.deepEqual([first?.sequence, first?.service, first?.region], [1, "kms", region]);
    assert.equal(first?.caller.accessKeyId, anyCredentials.accessKeyId);
    assert.deepEqual(first?.time, emulator.control.now());
    assert.deepEqual(second?.output, { Keys: [], Truncated: false });
    assert.deepEqual([second?.region, second?.account], ["eu-west-1", "444455556666"]);
    control.clearJournal();
    assert.deepEqual(control.journal(), []);
  });

  it("keeps the latest calls only", async (t) => {
    const { emulator } = await startFixture(t, { journalLimit: 10 });
    for (let index = 0; index < 35; index += 1) await emulator.control.call("ListKeys", {});
    const sequences = emulator.control.journal().map((record) => record.sequence);
    assert.deepEqual(
      sequences,
      Array.from({ length: 10 }, (_, index) => 26 + index),
    );
  });
});
