/** A call's end before its answer, told by its signal and without one. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { silentLogger } from "../hclog/logger.ts";
import { ServerCallContext } from "./call-context.ts";
import { StatusError } from "./status-error.ts";

const reason = new StatusError("CANCELLED", "the caller has left");

describe("a call that is cancelled", () => {
  it("tells its listeners once, and not those that have left", () => {
    const context = new ServerCallContext("S/M", undefined, silentLogger);
    const told: string[] = [];
    const left = () => told.push("left");
    context.cancellation.onCancel(() => told.push("first"));
    context.cancellation.onCancel(left);
    context.cancellation.onCancel(() => told.push("second"));
    context.cancellation.offCancel(left);
    assert.equal(context.cancellation.isCancelled, false);
    context.cancel(reason);
    context.cancel(reason);
    assert.deepEqual([told, context.cancellation.isCancelled], [["first", "second"], true]);
    assert.equal(context.signal.reason, reason);
  });

  it("after its answer is not, for none of them", () => {
    const context = new ServerCallContext("S/M", undefined, silentLogger);
    const told: string[] = [];
    context.cancellation.onCancel(() => told.push("told"));
    context.finish();
    context.cancel(reason);
    assert.deepEqual([told, context.cancellation.isCancelled, context.signal.aborted], [[], false, false]);
  });
});
