/** The field's arithmetic in WebAssembly and the tables made with it, beside plain BigInt. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { octetsOf, type Point } from "../../src/key-manager/signing/ecdsa/curve.ts";
import { addPoints } from "../../src/key-manager/signing/ecdsa/openssl-check.ts";
import { limbsOf, primeFormOf } from "../../src/key-manager/signing/ecdsa/tables/field.ts";
import { limbBits } from "../../src/key-manager/signing/ecdsa/tables/field-functions.ts";
import { fieldModule } from "../../src/key-manager/signing/ecdsa/tables/field-module.ts";
import {
  buildTable,
  listPoints,
  type TablePlace,
  windowsOf,
} from "../../src/key-manager/signing/ecdsa/tables/point-table.ts";
import { curves, fieldOf, finish, placesOf } from "./table-fixture.ts";

const seed = 20_261_125;
const mod = (value: bigint, p: bigint) => ((value % p) + p) % p;
/** Change with the module on purpose only: whoever audits it once sees here that it is still the same. */
const fingerprints = {
  "P-256": "dd4516ad2358b3131bdbc03f36eb969e983d3969193d297bb66a4db0a87eb4a0",
  "P-384": "3c8276e7d4211a7495ca4efdc6aa245ed24171d840bac1ab65389ad7c068246c",
} as const;

for (const name of ["P-256", "P-384"] as const) {
  const curve = curves[name];
  const { p, n } = curve;
  const limbs = limbsOf(curve);

  describe(`field of ${name}`, () => {
    const field = fieldOf(curve);
    const { at, arithmetic, words } = field;

    /** Any number, negative too: the highest limb has the rest and the sign. */
    const put = (address: number, value: bigint) => {
      let rest = value;
      for (let i = 0; i < limbs; i++) {
        words[address / 4 + i] = Number(i === limbs - 1 ? rest : BigInt.asUintN(limbBits, rest));
        rest >>= BigInt(limbBits);
      }
    };
    const get = (address: number) => {
      let value = 0n;
      for (let i = limbs - 1; i >= 0; i--) value = (value << BigInt(limbBits)) + BigInt(words[address / 4 + i] ?? 0);
      return value;
    };
    const assertLimbs = (address: number) => {
      for (let i = 0; i < limbs - 1; i++) {
        const limb = words[address / 4 + i] ?? -1;
        assert.ok(limb >= 0 && limb < 2 ** limbBits);
      }
    };

    /** What the formulas let into a product: below 16·p, either sign, and the borders. */
    const near = fc
      .tuple(fc.constantFrom(-15n, -8n, -2n, -1n, 0n, 1n, 2n, 8n, 15n), fc.bigInt(-3n, 3n))
      .map(([k, by]) => k * p + by);
    const power = fc
      .tuple(fc.bigInt(0n, BigInt(limbBits * limbs) - 6n), fc.bigInt(-1n, 1n))
      .map(([bits, by]) => 2n ** bits + by);
    const operand = fc
      .oneof(
        fc.bigInt(-15n * p, 15n * p),
        near,
        power,
        power.map((value) => -value),
      )
      .filter((value) => value < 16n * p && value > -16n * p);
    const r = 2n ** BigInt(limbBits * limbs);

    it("multiplies, squares and subtracts as BigInt does", () => {
      const property = fc.property(operand, operand, (a, b) => {
        put(at.H, a);
        put(at.R, b);
        arithmetic.multiply(at.V, at.H, at.R);
        assertLimbs(at.V);
        assert.equal(mod(get(at.V) * r, p), mod(a * b, p));
        assert.ok(get(at.V) > -p && get(at.V) < 2n * p);
        arithmetic.square(at.V, at.H);
        assertLimbs(at.V);
        assert.equal(mod(get(at.V) * r, p), mod(a * a, p));
        assert.ok(get(at.V) >= 0n && get(at.V) < 2n * p);
        arithmetic.subtract(at.V, at.H, at.R);
        assertLimbs(at.V);
        assert.equal(get(at.V), a - b);
      });
      fc.assert(property, { seed, numRuns: 3_000 });
    });

    it("takes the place of an operand for the result", () => {
      const property = fc.property(operand, operand, (a, b) => {
        for (const operation of [arithmetic.multiply, arithmetic.subtract]) {
          put(at.H, a);
          put(at.R, b);
          operation(at.V, at.H, at.R);
          const expected = get(at.V);
          operation(at.H, at.H, at.R);
          assert.equal(get(at.H), expected);
          put(at.H, a);
          operation(at.R, at.H, at.R);
          assert.equal(get(at.R), expected);
        }
        put(at.H, a);
        arithmetic.multiply(at.V, at.H, at.H);
        arithmetic.square(at.H, at.H);
        assert.equal(get(at.H), get(at.V));
      });
      fc.assert(property, { seed, numRuns: 500 });
    });

    it("knows the multiples of p from all other numbers", () => {
      for (let k = -15n; k <= 15n; k++) {
        for (let by = -2n; by <= 2n; by++) {
          put(at.H, k * p + by);
          assert.equal(field.isZero(at.H), by === 0n, `${k}·p + ${by}`);
        }
      }
      fc.assert(
        fc.property(operand, (a) => {
          put(at.H, a);
          assert.equal(field.isZero(at.H), mod(a, p) === 0n);
        }),
        { seed, numRuns: 1_000 },
      );
    });

    it("reads what it wrote", () => {
      for (const value of [0n, 1n, p - 1n, n, p / 3n]) {
        field.write(at.H, value);
        assert.equal(field.read(at.H), value);
      }
    });
  });

  describe(`table of ${name}`, () => {
    const field = fieldOf(curve);
    // Tables of both sizes, of the same point.
    const places: readonly TablePlace[] = Object.values(placesOf(curve));
    for (const place of places) finish(buildTable(field, curve, curve.generator, place));
    const pointsIn = ({ windowBits }: TablePlace): number => 2 ** (windowBits - 1);
    const read = (address: number): Point => ({ x: field.read(address), y: field.read(address + field.numberBytes) });

    function assertMultiples(place: TablePlace): void {
      const pointsPerWindow = pointsIn(place);
      let first: Point | undefined = curve.generator;
      let { address } = place;
      for (let window = 0; window < windowsOf(curve, place.windowBits); window++) {
        let expected: Point | undefined = first;
        const windowAt = address;
        for (let index = 0; index < pointsPerWindow; index++, address += 2 * field.numberBytes) {
          assert.ok(expected !== undefined, "a multiple below the order is a point");
          assert.deepEqual(read(address), expected, `window ${window}, point ${index + 1}`);
          const isLast = index === pointsPerWindow - 1;
          if (isLast) first = addPoints(curve, expected, expected);
          else expected = addPoints(curve, expected, read(windowAt));
        }
      }
    }

    it("holds the multiples of its point", () => {
      for (const place of places) assertMultiples(place);
    });

    it("gives points whose factors come to the number", () => {
      const factor = fc.oneof(
        fc.bigInt(0n, n - 1n),
        fc.bigInt(0n, 2n ** BigInt(8 * curve.bytes) - 1n),
        fc.tuple(fc.bigInt(0n, BigInt(8 * curve.bytes) - 1n), fc.bigInt(-2n, 2n)).map(([bits, by]) => 2n ** bits + by),
      );
      const listAt = 1024;
      const property = fc.property(
        factor.filter((value) => value >= 0n),
        fc.constantFrom(...places),
        (value, place) => {
          const { address, windowBits } = place;
          const pointsPerWindow = pointsIn(place);
          const end = listPoints(field, octetsOf(value, curve.bytes), place, listAt);
          let sum = 0n;
          for (let at = listAt; at < end; at += 4) {
            const entry = field.words[at / 4] ?? 0;
            const index = ((entry & -4) - address) / (2 * field.numberBytes);
            assert.ok(Number.isInteger(index) && index >= 0 && index < windowsOf(curve, windowBits) * pointsPerWindow);
            const multiple =
              BigInt((index % pointsPerWindow) + 1) << BigInt(windowBits * Math.floor(index / pointsPerWindow));
            sum += (entry & 1) === 1 ? -multiple : multiple;
          }
          assert.equal(sum, value);
        },
      );
      fc.assert(property, { seed, numRuns: 2_000 });
    });
  });

  it(`the module of ${name} is the same in every process`, () => {
    const bytes = finish(fieldModule(limbs, primeFormOf(curve), 1));
    assert.equal(createHash("sha256").update(bytes).digest("hex"), fingerprints[name]);
  });
}
