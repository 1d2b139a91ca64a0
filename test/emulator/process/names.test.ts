/** Names that are none: refused, with the one that was probably meant. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createEngine, type EngineOptions, readJsonOptions, startEmulator } from "../../../src/kms-emulator/index.ts";

const invalid = (message: string) => ({ code: "INVALID_OPTION", message });

describe("a wrong name", () => {
  const { control } = createEngine();

  it("of an operation is refused in calls, faults and pauses", async () => {
    const refused = { code: "UNKNOWN_OPERATION", message: "there is no operation CreatKey; did you mean CreateKey?" };
    await assert.rejects(control.callByName("CreatKey", {}), refused);
    for (const operation of ["CreatKey", ["Sign", "CreatKey"]]) {
      assert.throws(() => control.addFault({ kind: "reset", operation }), refused);
    }
    assert.throws(() => control.pause({ operation: "CreatKey", when: "before" }), refused);
    await assert.rejects(control.callByName("PutObject", {}), { message: "there is no operation PutObject" });
    control.addFault({ kind: "delay", ms: 0, operation: /^Creat/ }).remove();
  });

  it("of an option is refused, in process and in a file", async () => {
    const stray = invalid("there is no option regoin; did you mean region?");
    const options = { regoin: "us-east-1" } as EngineOptions;
    assert.throws(() => createEngine(options), stray);
    await assert.rejects(startEmulator(options), stray);
    assert.throws(() => readJsonOptions('{"regoin": "us-east-1"}'), stray);
    const call = control.callByName("ListKeys", {}, { regoin: "x" } as object);
    await assert.rejects(call, invalid("there is no option regoin of a call; did you mean region?"));
  });

  it("of a quota is refused", () => {
    const message = "quotas: there is no operation CreatKey; did you mean CreateKey?";
    assert.throws(() => createEngine({ quotas: { CreatKey: 2 } }), invalid(message));
  });
});

describe("an emulator", () => {
  it("closes at the end of its block", async () => {
    let endpoint: string;
    {
      await using emulator = await startEmulator();
      endpoint = emulator.endpoint;
      assert.equal((await fetch(endpoint, { method: "POST" })).status, 400);
    }
    await assert.rejects(fetch(endpoint), /fetch failed/);
    using engine = createEngine();
    assert.deepEqual((await engine.control.call("ListKeys", {})).Keys, []);
  });
});
