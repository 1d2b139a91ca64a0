/** Order, many readers, and the ends of the queue that streams are fed from. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AsyncQueue } from "./async-queue.ts";

async function readAll<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

describe("AsyncQueue", () => {
  it("keeps values for a reader that comes late, and ends after them", async () => {
    const queue = new AsyncQueue<number>();
    queue.push(1);
    queue.push(2);
    queue.close();
    queue.push(3);
    assert.deepEqual(await readAll(queue), [1, 2]);
  });

  it("wakes a waiting reader", async () => {
    const queue = new AsyncQueue<string>();
    const reading = readAll(queue);
    setImmediate(() => {
      queue.push("late");
      queue.close();
    });
    assert.deepEqual(await reading, ["late"]);
  });

  it("leaves what an aborted reader has not read to the next", async () => {
    const queue = new AsyncQueue<number>();
    const first = new AbortController();
    const reading = readAll(queue.read(first.signal));
    setImmediate(() => first.abort());
    assert.deepEqual(await reading, []);
    queue.push(1);
    queue.close();
    assert.deepEqual(await readAll(queue), [1]);
  });

  it("ends every waiting reader", async () => {
    const queue = new AsyncQueue<number>();
    const readers = [readAll(queue), readAll(queue)];
    setImmediate(() => queue.close());
    assert.deepEqual(await Promise.all(readers), [[], []]);
  });
});
