/** The queue of due moments. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { DueQueue } from "./due-queue.ts";

describe("DueQueue", () => {
  it("gives entries out in order of time, however pushes and pops are mixed", () => {
    const action = fc.option(fc.integer({ min: 0, max: 50 }), { nil: undefined });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 100 }), (actions) => {
        const queue = new DueQueue();
        let model: number[] = [];
        for (const atMs of actions) {
          if (atMs === undefined) {
            model.sort((left, right) => left - right);
            assert.equal(queue.pop()?.atMs, model[0]);
            model = model.slice(1);
          } else {
            queue.push({ atMs, account: "a", region: "r", keyId: "k" });
            model.push(atMs);
          }
          assert.equal(queue.nextMs, Math.min(Number.POSITIVE_INFINITY, ...model));
        }
      }),
      { numRuns: 200, seed: 1 },
    );
  });
});
