import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Clock } from "../../key-manager/ports.ts";
import { CredentialSource, type Credentials } from "./credentials.ts";

const minuteMs = 60_000;

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
  readonly clock: Clock = { now: () => new Date(this.nowMs), sleep: async () => undefined, random: () => 0.5 };
  readonly source = new CredentialSource(() => {
    this.chains++;
    return async (options) => {
      this.forced.push(options?.forceRefresh ?? false);
      const id = ++this.fetches;
      await this.gate;
      if (this.failure !== undefined) throw this.failure;
      const expiration = this.lifeMs === undefined ? {} : { expiration: new Date(this.nowMs + this.lifeMs) };
      return { accessKeyId: `key ${id}`, secretAccessKey: "s", ...expiration };
    };
  }, this.clock);

  async key(): Promise<string> {
    return (await this.source.provide()).accessKeyId;
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

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

  it("renews ahead of time, and nobody waits for that", async () => {
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
    const begun = new Date(stage.nowMs);
    await stage.key();
    stage.nowMs += 1_000;
    assert.ok(stage.source.discard(begun));
    assert.ok(stage.source.discard(begun), "another request that was begun before");
    assert.equal(stage.chains, 2);
    assert.equal(await stage.key(), "key 2");
    stage.nowMs += 1_000;
    assert.equal(
      stage.source.discard(new Date(stage.nowMs)),
      false,
      "the new ones are refused as well: not again so soon",
    );
    stage.nowMs += 10_000;
    assert.ok(stage.source.discard(new Date(stage.nowMs)));
    assert.equal(stage.chains, 3);
  });

  it("does not let a fetch that was begun before a refusal bring the old ones back", async () => {
    const stage = new Stage();
    let open = () => {};
    stage.gate = new Promise((resolve) => {
      open = resolve;
    });
    const early = stage.key();
    assert.ok(stage.source.discard(new Date(stage.nowMs)));
    const late = stage.key();
    open();
    assert.deepEqual(await Promise.all([early, late]), ["key 1", "key 2"]);
    assert.equal(await stage.key(), "key 2");
  });
});
