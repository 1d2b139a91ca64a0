/** An alias onto a new key, whatever the cache believed and whatever KMS answers. */
import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { seededRandom, VirtualTime } from "../../../test/simulation/virtual-time.ts";
import { awsKmsNames } from "../../plugin/aws-kms/names.ts";
import { type KeyMetadata, type KmsClient, KmsError, type KmsErrorCode, type Receipt } from "../ports.ts";
import { assignAlias } from "./alias-assignment.ts";

const minuteMs = 60_000;
const createdAt = Date.UTC(2026, 2, 1);
const aliasName = "alias/SPIRE_SERVER/example_org/a/x509-CA-A";

const key = (arn: string, ageMs = 0, more: Partial<KeyMetadata> = {}): KeyMetadata => ({
  keyId: arn,
  arn,
  description: "SPIRE_SERVER/example.org",
  keySpec: "ECC_NIST_P256",
  keyUsage: "SIGN_VERIFY",
  keyState: "Enabled",
  creationDate: new Date(createdAt - ageMs),
  deletionDate: undefined,
  ...more,
});

const failure = (code: KmsErrorCode, operation: string, outcomeUnknown = false) =>
  new KmsError("no", { code, operation, awsName: code, outcomeUnknown });

describe("assignAlias", () => {
  let target: KeyMetadata | undefined;
  let calls: string[];
  /** What is thrown by the next call of an operation; `late`: after it took effect. */
  let faults: { operation: string; error: KmsError; late?: boolean }[];
  const mine = key("mine");
  const time = new VirtualTime(0);

  beforeEach(() => {
    target = undefined;
    calls = [];
    faults = [];
  });

  async function perform(operation: string, effect: () => void): Promise<Receipt> {
    calls.push(operation);
    const index = faults.findIndex((fault) => fault.operation === operation);
    const [fault] = index < 0 ? [] : faults.splice(index, 1);
    if (fault === undefined || fault.late) effect();
    if (fault !== undefined) throw fault.error;
    return { requestId: `request-${calls.length}` };
  }

  const kms = {
    createAlias: () =>
      perform("CreateAlias", () => {
        if (target !== undefined) throw failure("ALREADY_EXISTS", "CreateAlias");
        target = mine;
      }),
    updateAlias: () =>
      perform("UpdateAlias", () => {
        if (target === undefined) throw failure("NOT_FOUND", "UpdateAlias");
        target = mine;
      }),
    async describeKey() {
      await perform("DescribeKey", () => undefined);
      if (target === undefined) throw failure("NOT_FOUND", "DescribeKey");
      return target;
    },
  } as unknown as KmsClient;

  const assign = (expectAlias: boolean) =>
    assignAlias(
      {
        kms,
        names: awsKmsNames("example.org", "a"),
        clock: time.clockFor(undefined, seededRandom(1)),
        log: { debug() {}, info() {}, warn() {}, error() {} },
      },
      aliasName,
      mine,
      expectAlias,
    );

  it("creates an alias that is not there, moves one that is", async () => {
    assert.deepEqual(await assign(false), { kind: "assigned", overwrote: undefined, requestId: "request-1" });
    assert.deepEqual(calls, ["CreateAlias"]);
    target = key("old", 99 * minuteMs);
    calls = [];
    assert.deepEqual(await assign(true), { kind: "assigned", overwrote: undefined, requestId: "request-1" });
    assert.deepEqual(calls, ["UpdateAlias"]);
  });

  it("heals a cache that is wrong either way, and tells what it wrote over", async () => {
    assert.equal((await assign(true)).kind, "assigned");
    assert.deepEqual(calls, ["UpdateAlias", "DescribeKey", "CreateAlias"]);
    const old = key("old", 16 * minuteMs);
    target = old;
    assert.deepEqual(await assign(false), { kind: "assigned", overwrote: old, requestId: `request-${calls.length}` });
    assert.equal(target, mine);
  });

  it("yields to a key that a replica made at the same moment", async () => {
    for (const ageMs of [-minuteMs, 0, 15 * minuteMs]) {
      target = key("theirs", ageMs);
      assert.deepEqual(await assign(false), { kind: "taken", by: target });
      assert.equal(target.arn, "theirs");
    }
  });

  it("does not yield to one that is of no use", async () => {
    for (const more of [{ keyState: "Disabled" }, { keyState: "PendingDeletion" }, { keySpec: "RSA_2048" }]) {
      target = key("theirs", 0, more);
      assert.equal((await assign(false)).kind, "assigned");
    }
  });

  it("leaves another trust domain's alias alone", async () => {
    target = key("theirs", 0, { description: "SPIRE_SERVER/example_org" });
    await assert.rejects(
      assign(false),
      /stands on a key that is not this server's .* give this server another key_identifier_value/,
    );
    assert.equal(target.arn, "theirs");
  });

  it("believes KMS's word when an answer was lost", async () => {
    target = key("old", 99 * minuteMs);
    faults = [{ operation: "UpdateAlias", error: failure("TIMEOUT", "UpdateAlias", true), late: true }];
    assert.equal((await assign(true)).kind, "assigned");
    target = undefined;
    faults = [{ operation: "CreateAlias", error: failure("TIMEOUT", "CreateAlias", true), late: true }];
    assert.equal((await assign(false)).kind, "assigned");
  });

  it("says that the outcome is unknown when it is, also when it cannot look", async () => {
    target = key("old", 99 * minuteMs);
    faults = [{ operation: "UpdateAlias", error: failure("TIMEOUT", "UpdateAlias", true) }];
    await assert.rejects(assign(true), { outcomeUnknown: true, operation: "UpdateAlias" });
    faults = [
      { operation: "UpdateAlias", error: failure("TIMEOUT", "UpdateAlias", true), late: true },
      { operation: "DescribeKey", error: failure("THROTTLED", "DescribeKey") },
    ];
    await assert.rejects(assign(true), { outcomeUnknown: true, operation: "UpdateAlias" });
    assert.equal(target, mine, "it had moved: the key must not pass for refused");
  });

  it("passes on a refusal at once", async () => {
    target = key("old", 99 * minuteMs);
    faults = [{ operation: "UpdateAlias", error: failure("ACCESS_DENIED", "UpdateAlias") }];
    await assert.rejects(assign(true), { code: "ACCESS_DENIED", outcomeUnknown: false });
    assert.deepEqual(calls, ["UpdateAlias"]);
  });

  it("gives in when the alias is taken away again and again", async () => {
    faults = [
      { operation: "CreateAlias", error: failure("ALREADY_EXISTS", "CreateAlias") },
      { operation: "CreateAlias", error: failure("ALREADY_EXISTS", "CreateAlias") },
    ];
    await assert.rejects(assign(true), { code: "ALREADY_EXISTS" });
    assert.ok(calls.length <= 8);
  });
});
