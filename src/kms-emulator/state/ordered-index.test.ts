/** The ordered index, against a sorted array. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { OrderedIndex } from "./ordered-index.ts";

const take = (names: Iterable<string>, count: number): string[] => {
  const taken: string[] = [];
  for (const name of names) {
    if (taken.length === count) break;
    taken.push(name);
  }
  return taken;
};

describe("OrderedIndex", () => {
  it("is a sorted set, whatever is added and deleted", () => {
    const name = fc.string({ minLength: 1, maxLength: 2, unit: fc.constantFrom("a", "b", "c", "/", "-", "Z", "é") });
    const action = fc.record({ isAdd: fc.boolean(), name });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 200 }), name, (actions, after) => {
        const index = new OrderedIndex();
        const model = new Set<string>();
        for (const { isAdd, name: given } of actions) {
          if (isAdd) {
            index.add(given);
            model.add(given);
          } else {
            index.delete(given);
            model.delete(given);
          }
        }
        const sorted = [...model].sort();
        assert.deepEqual([...index.after(undefined)], sorted);
        assert.deepEqual(
          [...index.after(after)],
          sorted.filter((candidate) => candidate > after),
        );
        assert.equal(index.size, model.size);
        assert.equal(index.has(after), model.has(after));
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  it("stays sorted through many splits, in ascending, descending and mixed order", () => {
    const numbers = Array.from({ length: 5_000 }, (_, index) => index);
    const orders = [numbers, [...numbers].reverse(), numbers.map((number) => (number * 2_741) % 5_000)];
    for (const order of orders) {
      const index = new OrderedIndex();
      for (const number of order) index.add(String(number).padStart(5, "0"));
      assert.equal(index.size, 5_000);
      assert.deepEqual(take(index.after("02499"), 3), ["02500", "02501", "02502"]);
      for (const number of order) if (number % 3 !== 0) index.delete(String(number).padStart(5, "0"));
      assert.deepEqual(take(index.after("02499"), 3), ["02502", "02505", "02508"]);
      assert.deepEqual([...index.after(undefined)].length, 1_667);
    }
  });
});
