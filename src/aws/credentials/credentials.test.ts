/** When credentials are fetched anew, and what is signed with while that fails; on a virtual clock. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sleeplessClock } from "../../../test/simulation/virtual-time.ts";
import { isKmsError } from "../../key-manager/ports.ts";
import { CredentialSource, type Credentials, type FetchCredentials } from "./credentials.ts";

const minuteMs = 60_000;

const settled = () => new Promise((resolve) => setImmediate(resolve));
const never = new Promise<void>(() => {});

/** A source whose credentials live for an hour, and everything that was asked of it. */
class Stage {
  nowMs = 0;
  lifeMs: number | undefined = 60 * minuteMs;
  failure: Error | undefined;
  fetches = 0;
  chains = 0;
  readonly forced: boolean[] = [];
  /** Lets fetches end; undefined: at once. */
  gate: Promise<void> | undefined;
  readonly clock = sleeplessClock({ now: () => new Date(this.nowMs), random: 0.5 });
  /** Time limits that run, by when they end. */
  readonly timers = new Set<{ readonly atMs: number; readonly fire: () => void }>();
  readonly told: string[] = [];
  counted = 0;
  readonly #makeFetch = (): FetchCredentials => {
    this.chains++;
    return async (options) => {
      this.forced.push(options?.forceRefresh ?? false);
      const id = ++this.fetches;
      await this.gate;
      if (this.failure !== undefined) throw this.failure;
      const expiration = this.lifeMs === undefined ? {} : { expiration: new Date(this.nowMs + this.lifeMs) };
      const afterExpiry = this.isInstance ? { usableAfterExpiry: true } : {};
      return { accessKeyId: `key ${id}`, secretAccessKey: "s", ...expiration, ...afterExpiry };
    };
  };
  isInstance = false;
  readonly source = new CredentialSource({
    makeFetch: this.#makeFetch,
    clock: this.clock,
    log: {
      info: (message) => void this.told.push(message),
      warn: (message, fields) => void this.told.push(`${message}: ${fields?.reason}`),
    },
    telemetry: { count: () => void this.counted++ },
    startTimer: (ms, fire) => {
      const timer = { atMs: this.nowMs + ms, fire };
      this.timers.add(timer);
      return () => void this.timers.delete(timer);
    },
  });

  /** Lets time pass, and what was to end in it end. */
  async pass(ms: number): Promise<void> {
    this.nowMs += ms;
    for (const timer of [...this.timers]) if (timer.atMs <= this.nowMs) timer.fire();
    await settled();
  }

  async key(): Promise<string> {
    return (await this.source.provide()).accessKeyId;
  }
}

describe("credential source", () => {
  it("fetches once for many requests at a time", async () => {
    const stage = new Stage();
    const keys = await Promise.all(Array.from({ length: 50 }, () => stage.key()));
    assert.deepEqual([...new Set(keys)], ["key 1"]);
    assert.equal(stage.fetches, 1);
  });

  it("keeps what does not expire for ever", async () => {
    const stage = new Stage();
    stage.lifeMs = undefined;
    await stage.key();
    stage.nowMs += 10_000 * minuteMs;
    assert.equal(await stage.key(), "key 1");
  });

  it("makes the SDK ask each time: what it is given has expired already", async () => {
    const stage = new Stage();
    const { expiration } = (await stage.source.provide()) as Credentials;
    assert.equal(expiration?.getTime(), stage.nowMs);
  });

  it("renews ahead of time, and no request waits for that", async () => {
    const stage = new Stage();
    await stage.key();
    stage.nowMs += 54 * minuteMs;
    assert.equal(await stage.key(), "key 1");
    stage.nowMs += 2 * minuteMs;
    let open = () => {};
    stage.gate = new Promise((resolve) => {
      open = resolve;
    });
    assert.equal(await stage.key(), "key 1", "the renewal is under way");
    assert.equal(await stage.key(), "key 1");
    open();
    await settled();
    assert.equal(await stage.key(), "key 2");
    assert.equal(stage.fetches, 2);
    assert.deepEqual(stage.forced, [false, true], "a renewal wants nothing remembered");
  });

  it("goes on with what is still good while it cannot renew, and tries again every ten seconds", async () => {
    const stage = new Stage();
    await stage.key();
    stage.nowMs += 56 * minuteMs;
    stage.failure = new Error("STS is out of order");
    for (let second = 0; second < 60; second++) {
      assert.equal(await stage.key(), "key 1");
      await settled();
      stage.nowMs += 1_000;
    }
    assert.equal(stage.fetches, 1 + 6);
    stage.nowMs += 5 * minuteMs;
    await assert.rejects(stage.key(), /out of order/);
    stage.failure = undefined;
    assert.match(await stage.key(), /^key /, "the first request after the outage has new ones");
  });

  it("waits for the renewal when there is no time left, but uses what is good to the last", async () => {
    const stage = new Stage();
    await stage.key();
    stage.nowMs += 59.8 * minuteMs;
    assert.equal(await stage.key(), "key 2");
    stage.nowMs += 59.8 * minuteMs;
    stage.failure = new Error("no");
    assert.equal(await stage.key(), "key 2");
  });

  it("does not hammer at STS when what it gets has expired by our clock", async () => {
    const stage = new Stage();
    stage.lifeMs = -120 * minuteMs;
    for (let request = 0; request < 20; request++) {
      await stage.key();
      stage.nowMs += 1_000;
    }
    assert.ok(stage.fetches <= 3, `${stage.fetches} fetches in twenty seconds`);
  });

  it("is made anew when AWS refuses what it holds, once for all requests that were refused together", async () => {
    const stage = new Stage();
    const begun = stage.nowMs;
    await stage.key();
    stage.nowMs += 1_000;
    assert.ok(stage.source.discard(begun));
    assert.ok(stage.source.discard(begun), "another request that was begun before");
    assert.equal(stage.chains, 2);
    assert.equal(await stage.key(), "key 2");
    stage.nowMs += 1_000;
    assert.equal(stage.source.discard(stage.nowMs), false, "the new ones are refused as well: not again so soon");
    stage.nowMs += 10_000;
    assert.ok(stage.source.discard(stage.nowMs));
    assert.equal(stage.chains, 3);
  });

  it("does not let a fetch that was begun before a refusal bring the old ones back", async () => {
    const stage = new Stage();
    let open = () => {};
    stage.gate = new Promise((resolve) => {
      open = resolve;
    });
    const early = stage.key();
    assert.ok(stage.source.discard(stage.nowMs));
    const late = stage.key();
    open();
    assert.deepEqual(await Promise.all([early, late]), ["key 1", "key 2"]);
    assert.equal(await stage.key(), "key 2");
  });

  it("lets those go that wait for a source which hangs, and the next request asks a fresh one", async () => {
    const stage = new Stage();
    stage.gate = never;
    const waiting = Promise.allSettled([stage.key(), stage.key()]);
    await stage.pass(100_000);
    for (const outcome of await waiting) {
      assert.equal(outcome.status, "rejected");
      assert.ok(isKmsError(outcome.reason, "TIMEOUT"));
      assert.match(outcome.reason.message, /^the source of AWS credentials has not answered within 100 s$/);
    }
    assert.equal(stage.chains, 2);
    stage.gate = undefined;
    assert.equal(await stage.key(), "key 2");
  });

  it("signs on with what is good while the source hangs: at once, and in the last half minute within two seconds", async () => {
    const stage = new Stage();
    await stage.key();
    stage.gate = never;
    await stage.pass(56 * minuteMs);
    assert.equal(await stage.key(), "key 1");
    await stage.pass(3.8 * minuteMs);
    const key = stage.key();
    await settled();
    await stage.pass(2_000);
    assert.equal(await key, "key 1");
    await stage.pass(10_000);
    const late = assert.rejects(stage.key(), /has not answered/);
    await settled();
    await stage.pass(100_000);
    await late;
  });

  it("tells each failed renewal to the log and the metrics, and when it works again", async () => {
    const stage = new Stage();
    await stage.key();
    await stage.pass(56 * minuteMs);
    stage.failure = new Error("STS is out of order");
    for (const _ of [1, 2]) {
      await stage.key();
      await settled();
      await stage.pass(10_000);
    }
    stage.failure = undefined;
    await stage.key();
    await settled();
    const failed = "AWS credentials could not be had: STS is out of order";
    assert.deepEqual(stage.told, [failed, failed, "AWS credentials were renewed again"]);
    assert.equal(stage.counted, 2);
  });

  it("uses an instance's beyond their time if its metadata service is out of order, as AWS's SDKs do", async () => {
    const stage = new Stage();
    stage.isInstance = true;
    await stage.key();
    await stage.pass(61 * minuteMs);
    stage.failure = new Error("no metadata");
    assert.equal(await stage.key(), "key 1");
    assert.equal(stage.fetches, 2);
    assert.equal(await stage.key(), "key 1");
    assert.equal(stage.fetches, 2, "not again so soon");
    await stage.pass(10_000);
    stage.failure = undefined;
    assert.equal(await stage.key(), "key 3");
  });
});
