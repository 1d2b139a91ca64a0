/** The gRPC status of each kind of error. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { KeyManagerError } from "../key-manager/errors.ts";
import { StatusError } from "../plugin-sdk/index.ts";
import { withStatus } from "./status.ts";

const failWith = (error: unknown, signal?: AbortSignal) => withStatus(() => Promise.reject(error), signal);
const cancelled = new KeyManagerError("CANCELLED", "Sign: AbortError: Request aborted");
const denied = new KeyManagerError("PERMISSION_DENIED", "no");

describe("withStatus", () => {
  it("gives an error of the domain its gRPC code and leaves its words", async () => {
    await assert.rejects(failWith(denied), new StatusError("PERMISSION_DENIED", "no"));
    await assert.rejects(failWith(denied, AbortSignal.abort()), new StatusError("PERMISSION_DENIED", "no"));
  });

  it("gives a call that was cut short the reason of whoever cut it", async () => {
    const reason = new StatusError("UNAVAILABLE", "the plugin is stopping");
    const signal = AbortSignal.abort(reason);
    await assert.rejects(failWith(cancelled, signal), reason);
    await assert.rejects(failWith(reason, signal), reason);
  });

  it("is DEADLINE_EXCEEDED when the time was up, with a signal of its own or of ours", async () => {
    const expected = { code: "DEADLINE_EXCEEDED" };
    const signal = AbortSignal.abort(new DOMException("timed out", "TimeoutError"));
    await assert.rejects(failWith(cancelled, signal), expected);
    await assert.rejects(failWith(signal.reason, signal), expected);
  });

  it("passes other errors on as they are", async () => {
    const error = new TypeError("a defect of ours");
    await assert.rejects(failWith(error, new AbortController().signal), error);
  });
});
