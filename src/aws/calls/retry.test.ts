/** Which calls are repeated, when, and for whom. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sleeplessClock, VirtualTime } from "../../../test/simulation/virtual-time.ts";
import { KmsError, type KmsErrorCode } from "../../key-manager/ports.ts";
import { noTelemetry } from "../../key-manager/telemetry.ts";
import { type Caller, withRetries } from "./retry.ts";

interface Trial {
  readonly error: unknown;
  readonly attempts: number;
  readonly sleptMs: readonly number[];
}

const kmsError = (
  code: KmsErrorCode,
  details: { outcomeUnknown?: boolean; awsName?: string; operation?: string } = {},
) => new KmsError("no", { code, operation: "Sign", awsName: code, outcomeUnknown: false, ...details });

/** Makes a call that always fails. */
async function fail(
  failure: unknown,
  options: { repeatable?: boolean; signal?: AbortSignal; discardCredentials?: Caller["discardCredentials"] } = {},
): Promise<Trial> {
  const sleptMs: number[] = [];
  let attempts = 0;
  let nowMs = 0;
  const clock = sleeplessClock({ now: () => new Date(nowMs++), random: 1, slept: sleptMs });
  const { repeatable = true, signal, discardCredentials = () => false } = options;
  const call = async () => {
    attempts++;
    throw typeof failure === "function" ? failure() : failure;
  };
  const caller = { clock, telemetry: noTelemetry, discardCredentials };
  try {
    await withRetries(call, { operation: "Sign", caller, signal, repeatable });
  } catch (error) {
    return { error, attempts, sleptMs };
  }
  return assert.fail("the call succeeded");
}

describe("withRetries", () => {
  for (const code of ["THROTTLED", "UNAVAILABLE", "TIMEOUT"] as const) {
    it(`tries three times what is ${code}, later each time`, async () => {
      const { attempts, sleptMs, error } = await fail(kmsError(code, { outcomeUnknown: true }));
      assert.equal(attempts, 3);
      assert.equal(sleptMs[1], 2 * (sleptMs[0] ?? 0));
      assert.ok(error instanceof KmsError && error.code === code);
    });
  }

  for (const code of [
    "NOT_FOUND",
    "ACCESS_DENIED",
    "INVALID_REQUEST",
    "LIMIT_EXCEEDED",
    "DISABLED",
    "ABORTED",
  ] as const) {
    it(`does not repeat what is ${code}`, async () => {
      assert.equal((await fail(kmsError(code))).attempts, 1);
    });
  }

  it("asks seldom while it has patience with throttling, and once more when that ends", async () => {
    const time = new VirtualTime();
    const asked: number[] = [];
    const call = async () => {
      asked.push(time.now);
      throw kmsError("THROTTLED");
    };
    const caller = {
      clock: time.clockFor(undefined, () => 0.5),
      telemetry: noTelemetry,
      discardCredentials: () => false,
    };
    const begun = time.now;
    const patience = { throttledForMs: 10_000, throttledWaitMs: 4_000 };
    const failed = withRetries(call, { operation: "CreateKey", caller, repeatable: false, ...patience });
    await assert.rejects(time.until(failed), { code: "THROTTLED" });
    assert.deepEqual(
      asked.map((at) => at - begun),
      [0, 4_000, 8_000, 10_000],
    );
  });

  it("repeats a call that must not happen twice only when it certainly did not happen", async () => {
    const lost = await fail(kmsError("UNAVAILABLE", { outcomeUnknown: true }), { repeatable: false });
    assert.equal(lost.attempts, 1);
    const refused = await fail(kmsError("THROTTLED"), { repeatable: false });
    assert.equal(refused.attempts, 3);
  });

  it("does not let a refusal hide that an attempt before it may have happened", async () => {
    const answers = [kmsError("UNAVAILABLE", { outcomeUnknown: true }), kmsError("ACCESS_DENIED")];
    const { attempts, error } = await fail(() => answers.shift());
    assert.equal(attempts, 2);
    assert.ok(error instanceof KmsError);
    assert.equal(error.code, "ACCESS_DENIED");
    assert.equal(error.operation, "Sign");
    assert.equal(error.outcomeUnknown, true);
  });

  it("repeats with other credentials, as long as there may be others", async () => {
    const refused = kmsError("UNAUTHENTICATED", { awsName: "ExpiredTokenException" });
    const begun: number[] = [];
    const discardCredentials = (usedSinceMs: number) => begun.push(usedSinceMs) === 1;
    assert.equal((await fail(refused, { discardCredentials })).attempts, 2);
    assert.equal(begun.length, 2);
    assert.ok((begun[0] ?? 0) < (begun[1] ?? 0), "each attempt tells when it was begun");
    assert.equal((await fail(refused)).attempts, 1);
  });

  it("waits for credentials that may come, for a file longer than for anything else", async () => {
    const missing = { operation: "credentials", awsName: "CredentialsProviderError" };
    assert.equal((await fail(kmsError("UNAUTHENTICATED", missing))).attempts, 3);
    const file = await fail(kmsError("UNAUTHENTICATED", { operation: "credentials", awsName: "ENOENT" }));
    assert.equal(file.attempts, 7);
    assert.ok(file.sleptMs.reduce((sum, ms) => sum + ms, 0) >= 15_000);
  });

  it("does not begin for a caller who has given up", async () => {
    const { attempts, error } = await fail(kmsError("UNAVAILABLE"), { signal: AbortSignal.abort() });
    assert.equal(attempts, 0);
    assert.ok(error instanceof KmsError && error.code === "ABORTED" && !error.outcomeUnknown);
  });

  it("lets a caller go who gives up during a call that takes no heed of it", async () => {
    const stop = new AbortController();
    const clock = sleeplessClock({ random: 1 });
    const caller = { clock, telemetry: noTelemetry, discardCredentials: () => false };
    const options = { operation: "Sign", caller, signal: stop.signal, repeatable: true };
    let begun = () => {};
    const hasBegun = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const call = withRetries(() => {
      begun();
      return new Promise<never>(() => undefined);
    }, options);
    await hasBegun;
    stop.abort();
    await assert.rejects(call, { code: "ABORTED", outcomeUnknown: true });
  });
});
