/** Keys that scans may not describe are mentioned once. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type KmsClient, KmsError, type KmsErrorCode, type LogFields } from "../../ports.ts";
import { keyDescriber } from "./key-describer.ts";

const failure = (code: KmsErrorCode) =>
  new KmsError("no", { code, operation: "DescribeKey", awsName: code, outcomeUnknown: false });

describe("keyDescriber", () => {
  const { signal } = new AbortController();

  function stage(answer: KmsError) {
    const lines: LogFields[] = [];
    const fail = () => assert.fail("not at this level");
    const log = {
      debug: fail,
      info: (_: string, fields: LogFields = {}) => lines.push(fields),
      warn: fail,
      error: fail,
    };
    const kms = { describeKey: async () => Promise.reject(answer) } as unknown as KmsClient;
    return { describe: keyDescriber(kms, log), lines };
  }

  it("mentions keys that may not be described once, whatever their number", async () => {
    const { describe, lines } = stage(failure("ACCESS_DENIED"));
    for (let count = 0; count < 100; count++) assert.equal(await describe(`k${count}`, signal), "ACCESS_DENIED");
    assert.equal(lines.length, 1);
    assert.equal(lines[0]?.key_id, "k0");
    assert.match(String(lines[0]?.reason), /allow kms:DescribeKey /);
  });

  it("knows a key that no longer exists, and passes on every other failure", async () => {
    assert.equal(await stage(failure("NOT_FOUND")).describe("k", signal), "NOT_FOUND");
    await assert.rejects(stage(failure("THROTTLED")).describe("k", signal), { code: "THROTTLED" });
  });
});
