/** What waits for what: queues by name, the gate, bounded loops. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Gate, mapBounded, NamedQueue, waitUntilAborted } from "./concurrency.ts";

/** A promise and the hand that settles it. */
function latch<T = void>() {
  let open: (value: T) => void = () => undefined;
  const promise = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("NamedQueue", () => {
  it("runs jobs of one name in order and others beside them", async () => {
    const queue = new NamedQueue();
    const first = latch();
    const order: string[] = [];
    const jobs = [
      queue.run("a", async () => {
        await first.promise;
        order.push("a1");
      }),
      queue.run("a", async () => order.push("a2")),
      queue.run("b", async () => order.push("b1")),
    ];
    await turn();
    assert.deepEqual(order, ["b1"]);
    first.open();
    await Promise.all(jobs);
    assert.deepEqual(order, ["b1", "a1", "a2"]);
  });

  it("goes on after a failure", async () => {
    const queue = new NamedQueue();
    await assert.rejects(
      queue.run("a", async () => {
        throw new Error("x");
      }),
    );
    assert.equal(await queue.run("a", async () => 1), 1);
  });
});

describe("Gate", () => {
  it("lets the exclusive holder in when the shared ones are out, and no other before it is out", async () => {
    const gate = new Gate();
    const shared = latch();
    const exclusive = latch();
    const order: string[] = [];
    const all = [
      gate.shared(async () => {
        await shared.promise;
        order.push("shared 1");
      }),
    ];
    await turn();
    all.push(
      gate.exclusive(async () => {
        order.push("exclusive in");
        await exclusive.promise;
        order.push("exclusive out");
      }),
      gate.shared(async () => {
        order.push("shared 2");
      }),
    );
    await turn();
    assert.deepEqual(order, []);
    shared.open();
    await turn();
    assert.deepEqual(order, ["shared 1", "exclusive in"]);
    exclusive.open();
    await Promise.all(all);
    assert.deepEqual(order, ["shared 1", "exclusive in", "exclusive out", "shared 2"]);
  });

  it("keeps two exclusive holders apart and survives a failing one", async () => {
    const gate = new Gate();
    let inside = 0;
    const job = async () => {
      assert.equal(++inside, 1);
      await turn();
      inside--;
      throw new Error("x");
    };
    const outcomes = await Promise.allSettled([gate.exclusive(job), gate.exclusive(job), gate.shared(async () => 1)]);
    assert.deepEqual(
      outcomes.map((outcome) => outcome.status),
      ["rejected", "rejected", "fulfilled"],
    );
  });

  it("lets a waiting caller go when its signal aborts", async () => {
    const gate = new Gate();
    const held = latch();
    const exclusive = gate.exclusive(() => held.promise);
    const stop = new AbortController();
    const waiting = gate.shared(async () => assert.fail("must not run"), stop.signal);
    stop.abort(new Error("gave up"));
    await assert.rejects(waiting, /gave up/);
    held.open();
    await exclusive;
  });
});

describe("mapBounded", () => {
  it("keeps order and bound", async () => {
    let inside = 0;
    let most = 0;
    const results = await mapBounded([...Array(50).keys()], 4, async (item) => {
      most = Math.max(most, ++inside);
      await turn();
      inside--;
      return item * 2;
    });
    assert.deepEqual(
      results,
      [...Array(50).keys()].map((item) => item * 2),
    );
    assert.equal(most, 4);
  });

  it("starts no more after a failure", async () => {
    let started = 0;
    await assert.rejects(
      mapBounded([...Array(50).keys()], 2, async (item) => {
        started++;
        await turn();
        if (item === 1) throw new Error("x");
      }),
      /x/,
    );
    await turn();
    assert.ok(started <= 4, `started ${started}`);
  });
});

describe("waitUntilAborted", () => {
  it("ends with the signal's reason and leaves no unhandled rejection behind", async () => {
    const stop = new AbortController();
    stop.abort(new Error("over"));
    await assert.rejects(waitUntilAborted(Promise.reject(new Error("late")), stop.signal), /over/);
    await turn();
  });
});
