/** When a task in the background runs, runs again after a failure, and what it says then; on a virtual clock. */
import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { VirtualTime } from "../../../test/simulation/virtual-time.ts";
import { KmsError, type LogFields } from "../ports.ts";
import { runTask, type Task, TaskFailure, type TaskReport } from "./task.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

describe("runTask", () => {
  const start = Date.UTC(2026, 0, 1);
  let time: VirtualTime;
  let runs: number[];
  let errors: LogFields[];
  let stop: AbortController;
  let random: number;

  beforeEach(() => {
    time = new VirtualTime(start);
    runs = [];
    errors = [];
    stop = new AbortController();
    random = 0.5;
  });

  function begin(run: (signal: AbortSignal) => Promise<TaskReport>, intervalMs = 6 * hourMs): Promise<void> {
    const task: Task = {
      name: "x",
      consequence: "something is not done",
      intervalMs,
      async runOnce(signal) {
        runs.push((time.now - start) / minuteMs);
        return run(signal);
      },
    };
    const log = { debug() {}, info() {}, warn() {}, error: (_: string, fields: LogFields = {}) => errors.push(fields) };
    const clock = time.clockFor(undefined, () => random);
    return runTask(task, { clock, log, startDelayMs: 10 * minuteMs, signal: stop.signal });
  }

  it("runs at a random moment within the start delay, then every interval", async () => {
    void begin(async () => ({}));
    await time.run(24 * hourMs);
    assert.deepEqual(runs, [5, 365, 725, 1085]);
  });

  it("keeps its rhythm however long a run takes, and never runs twice at once", async () => {
    void begin(async (signal) => {
      await time.sleep(7 * hourMs, signal);
      return {};
    });
    await time.run(30 * hourMs);
    assert.deepEqual(runs, [5, 425, 845, 1265, 1685]);
  });

  it("tries again after 1, 4, 16, … minutes, at the latest after its interval, and from the start after a success", async () => {
    let failures = 6;
    void begin(async () => {
      if (failures-- > 0) throw new Error("no");
      return {};
    });
    await time.run(40 * hourMs);
    const gaps = runs.slice(1).map((at, index) => at - (runs[index] ?? 0));
    assert.deepEqual(gaps, [1, 4, 16, 64, 256, 360, 360, 360, 360, 360]);
    assert.equal(errors.length, 6);
    assert.equal(errors[0]?.next_attempt_in_s, 60);
  });

  it("says what failed, what to do about it, what follows from it, and for which keys", async () => {
    const denied = new KmsError("denied", {
      code: "ACCESS_DENIED",
      operation: "ListKeys",
      awsName: "AccessDeniedException",
      outcomeUnknown: false,
    });
    const failures = [denied, new TaskFailure("2 aliases were not refreshed", ["a", "b"], denied)];
    void begin(async () => {
      throw failures.shift() ?? new Error("no");
    });
    await time.run(7 * minuteMs);
    assert.match(String(errors[0]?.reason), /^ListKeys: AccessDeniedException: denied; allow kms:ListKeys /);
    assert.equal(errors[0]?.consequence, "something is not done");
    assert.match(String(errors[1]?.reason), /^2 aliases were not refreshed; the last failure: .*allow kms:ListKeys /);
    assert.deepEqual(errors[1]?.key_ids, ["a", "b"]);
  });

  it("ends when the signal aborts, waiting or running, without a word", async () => {
    let isDone = false;
    const done = begin((signal) => time.sleep(hourMs, signal).then(() => ({}))).then(() => {
      isDone = true;
    });
    await time.run(10 * minuteMs);
    stop.abort(new Error("stop"));
    await done;
    assert.ok(isDone);
    assert.deepEqual(errors, []);
    random = 1;
    runs = [];
    await begin(async () => ({}));
    assert.deepEqual(runs, []);
  });
});
