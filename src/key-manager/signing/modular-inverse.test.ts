/** The inverse that checks signatures, by its own definition. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { p256, p384 } from "@noble/curves/nist.js";
import fc from "fast-check";
import { inverse, inverseByDivision } from "./modular-inverse.ts";

describe("modular inverse", () => {
  const orders = [p256, p384].flatMap(({ Point }) => [Point.Fn.ORDER, Point.Fp.ORDER]);

  it("is an inverse, of any number and of those at the borders", () => {
    for (const order of orders) {
      const bits = BigInt(order.toString(2).length);
      const border = fc.tuple(fc.bigInt(0n, bits - 1n), fc.bigInt(-3n, 3n)).map(([at, by]) => (1n << at) + by);
      const fraction = fc.tuple(fc.bigInt(1n, 1n << 70n), fc.bigInt(-2n, 2n)).map(([by, more]) => order / by + more);
      const value = fc.oneof(
        fc.bigInt(1n, order - 1n),
        border,
        fraction,
        fraction.map((near) => order - near),
      );
      fc.assert(
        fc.property(
          value.filter((number) => number > 0n && number < order),
          (number) => {
            const inverted = inverse(number, order);
            assert.ok(inverted > 0n && inverted < order);
            assert.equal((inverted * number) % order, 1n);
            assert.equal(inverseByDivision(number, order), inverted);
          },
        ),
        { seed: 20_261_122, numRuns: 1_000 },
      );
    }
  });
});
