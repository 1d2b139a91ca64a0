/** How many calls go at once, who is next, and the pace while AWS throttles; on a virtual clock. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { settled, VirtualTime } from "../../../test/simulation/virtual-time.ts";
import { isKmsError, type KmsErrorCode } from "../../key-manager/ports.ts";
import { CallLimiter } from "./call-limiter.ts";

const limiterIn = (time: VirtualTime, limits: ConstructorParameters<typeof CallLimiter>[1]) =>
  new CallLimiter(
    time.clockFor(undefined, () => 0.5),
    limits,
  );

/** Callers of a limiter, and what became of them. */
class Callers {
  readonly limiter: CallLimiter;
  readonly served: string[] = [];
  readonly refused: string[] = [];

  constructor(limiter: CallLimiter) {
    this.limiter = limiter;
  }

  async call(name: string, options: { signal?: AbortSignal; isRetry?: boolean } = {}): Promise<void> {
    try {
      await this.limiter.enter("Sign", options.isRetry ?? false, options.signal);
      this.served.push(name);
    } catch (error) {
      assert.ok(isKmsError(error));
      assert.equal(error.outcomeUnknown, false, "nothing was sent");
      this.refused.push(`${name}: ${error.code}`);
    }
  }

  end(...results: readonly ("ok" | KmsErrorCode)[]): void {
    for (const result of results) this.limiter.leave(result);
  }
}

describe("call limiter", () => {
  it("lets a bounded number go, the next in order of arrival, retries before newcomers", async () => {
    const callers = new Callers(limiterIn(new VirtualTime(), { maxUnderWay: 2, maxWaiting: 10 }));
    for (const name of ["a", "b", "c", "d"]) void callers.call(name);
    void callers.call("again", { isRetry: true });
    await settled();
    assert.deepEqual(callers.served, ["a", "b"]);
    callers.end("ok", "UNAVAILABLE");
    await settled();
    assert.deepEqual(callers.served, ["a", "b", "again", "c"]);
    callers.end("ok");
    await settled();
    assert.deepEqual(callers.served.at(-1), "d");
  });

  it("refuses at once what does not fit into the queue", async () => {
    const callers = new Callers(limiterIn(new VirtualTime(), { maxUnderWay: 1, maxWaiting: 2 }));
    for (const name of ["a", "b", "c", "d"]) void callers.call(name);
    await settled();
    assert.deepEqual(callers.refused, ["d: THROTTLED"]);
    void callers.call("again", { isRetry: true });
    await settled();
    assert.deepEqual(callers.refused, ["d: THROTTLED"], "who had a turn already is not turned away");
  });

  it("lets go of a caller whose signal aborts, before and while it waits, and gives its place to the next", async () => {
    const callers = new Callers(limiterIn(new VirtualTime(), { maxUnderWay: 1, maxWaiting: 2 }));
    const stop = new AbortController();
    void callers.call("a");
    void callers.call("b", { signal: stop.signal });
    void callers.call("c");
    await settled();
    stop.abort(new Error("deadline"));
    void callers.call("d", { signal: stop.signal });
    await settled();
    assert.deepEqual(callers.refused.toSorted(), ["b: ABORTED", "d: ABORTED"]);
    callers.end("ok");
    await settled();
    assert.deepEqual(callers.served, ["a", "c"]);
    callers.end("ok");
    void callers.call("e");
    await settled();
    assert.equal(callers.served.at(-1), "e", "no turn was lost");
  });

  it("keeps a pace while calls are throttled, and forgets it a second after the last", async () => {
    const time = new VirtualTime();
    const callers = new Callers(limiterIn(time, { maxUnderWay: 1000, maxWaiting: 1000 }));
    const burst = async (count: number) => {
      for (let index = 0; index < count; index++) void callers.call(String(index));
      await settled();
    };
    await burst(50);
    callers.end(...new Array(50).fill("ok"));
    await burst(1);
    callers.end("THROTTLED");
    await burst(80);
    const before = callers.served.length;
    await time.run(500);
    const inHalfASecond = callers.served.length - before;
    assert.ok(inHalfASecond >= 27 && inHalfASecond <= 34, `1.2 × 50 a second, got ${inHalfASecond} in half of one`);
    const queued = callers.refused.length;
    await burst(100);
    assert.ok(callers.refused.length > queued, "no caller waits longer than a second and a half");
    await time.run(2_000);
    callers.end(...new Array(callers.served.length - 51).fill("ok"));
    const served = callers.served.length;
    await burst(200);
    assert.equal(callers.served.length, served + 200, "no pace any more");
  });

  it("serves a burst in a second and a half, and whoever comes while throttling lasts within 0.2 s or not at all", async () => {
    const time = new VirtualTime();
    const limiter = limiterIn(time, { maxUnderWay: 1000, maxWaiting: 1000 });
    let tokens = 100;
    let offered = 0;
    const waits: number[] = [];
    const caller = async (): Promise<void> => {
      const since = time.now;
      offered++;
      for (let attempt = 0; attempt < 3; attempt++) {
        await limiter.enter("Sign", attempt > 0, undefined);
        const isServed = tokens >= 1;
        if (isServed) tokens--;
        limiter.leave(isServed ? "ok" : "THROTTLED");
        if (isServed) return void waits.push(time.now - since);
      }
    };
    const offer = async (ms: number) => {
      for (let end = time.now + ms; time.now < end; ) {
        caller().catch((error: unknown) => assert.ok(isKmsError(error) && error.code === "THROTTLED"));
        await time.run(4);
        tokens = Math.min(100, tokens + 0.4);
      }
    };
    await offer(5_000);
    waits.length = 0;
    offered = 0;
    await offer(5_000);
    assert.equal(offered, 1_250);
    assert.ok(waits.length >= 450, `500 were to be had, ${waits.length} were served`);
    const sorted = waits.toSorted((one, other) => one - other);
    assert.ok(
      (sorted[Math.floor(sorted.length / 2)] ?? 0) <= 200,
      `half waited longer than ${sorted[sorted.length >> 1]} ms`,
    );
  });

  it("keeps trying slowly when everything is throttled, and recovers within a second", async () => {
    const time = new VirtualTime();
    const callers = new Callers(limiterIn(time, { maxUnderWay: 1000, maxWaiting: 1000 }));
    let isThrottled = true;
    let done = 0;
    const caller = async (): Promise<void> => {
      const before = callers.served.length;
      await callers.call("x");
      if (callers.served.length === before) return;
      callers.end(isThrottled ? "THROTTLED" : "ok");
      if (!isThrottled) done++;
    };
    const offer = async (seconds: number) => {
      for (let ms = 0; ms < seconds * 1000; ms += 4) {
        void caller();
        await time.run(4);
      }
    };
    await offer(3);
    assert.ok(callers.served.length < 25, `5 a second, tried ${callers.served.length} times in three`);
    isThrottled = false;
    await offer(1);
    done = 0;
    await offer(1);
    assert.ok(done >= 245, `250 a second are offered and ${done} went through`);
  });
});
