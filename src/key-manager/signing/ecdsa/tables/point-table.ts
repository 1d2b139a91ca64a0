/**
 * Multiples of one point, so that a multiple of it is a sum of a few dozen of them and takes no doubling.
 *
 * A factor is written with signed digits of `windowBits` bits: k = Σ dⱼ·2^(w·j), −2^(w−1) < dⱼ ≤ 2^(w−1). The table has, for
 * each window j, the points 1·2^(w·j)·P to 2^(w−1)·2^(w·j)·P; for a negative digit the point's y is negated.
 */
import { inverse } from "../../modular-inverse.ts";
import type { Curve, Point } from "../curve.ts";
import { type Field, limbsOf } from "./field.ts";
import { endOfPlaces } from "./point-functions.ts";

/** G's, which all keys share, may be larger than a key's own. */
export const windowBitsOf = { generator: 9, key: 8 } as const;

/** Where a table lies in the module's memory, and the size of its windows. */
export interface TablePlace {
  readonly address: number;
  readonly windowBits: number;
}

const pointsIn = (windowBits: number): number => 2 ** (windowBits - 1);

/** One more bit than the factor has: the last digit's carry. */
export const windowsOf = ({ bytes }: Curve, windowBits: number): number => Math.ceil((8 * bytes + 1) / windowBits);

/** P-256: 594 kB for the generator, 338 kB for a key; P-384: 1.2 MB and 702 kB. */
export const tableBytesOf = (curve: Curve, windowBits: number): number =>
  windowsOf(curve, windowBits) * pointsIn(windowBits) * 2 * 4 * limbsOf(curve);

/** Small numbers that doubling multiplies by, and the space for one window's points before they are brought to Z = 1. */
interface Scratch {
  readonly pointsPerWindow: number;
  readonly two: number;
  readonly three: number;
  readonly four: number;
  readonly eight: number;
  readonly negative: number;
  readonly points: number;
  readonly products: number;
}

const scratchStart = endOfPlaces + 1024;

function scratchIn(field: Field, pointsPerWindow: number): Scratch {
  const at = (index: number) => scratchStart + index * field.numberBytes;
  const scratch = { two: at(0), three: at(1), four: at(2), eight: at(3), negative: at(4), points: at(5) };
  field.write(scratch.two, 2n);
  field.write(scratch.three, 3n);
  field.write(scratch.four, 4n);
  field.write(scratch.eight, 8n);
  return { ...scratch, pointsPerWindow, products: at(5 + 3 * (pointsPerWindow + 1)) };
}

/** Doubles the sum (X : Y : Z): dbl-2001-b of the Explicit-Formulas Database, for curves with a = −3. */
function double({ at, arithmetic }: Field, { two, three, four, eight, negative }: Scratch): void {
  const { multiply, square, subtract } = arithmetic;
  const { X, Y, Z, ZZ, H, R, HH, HHH, V, T, zero } = at;
  square(ZZ, Z); // δ = Z²
  square(H, Y); // γ = Y²
  multiply(V, X, H); // β = X·γ
  subtract(R, X, ZZ);
  subtract(negative, zero, ZZ);
  subtract(T, X, negative);
  multiply(R, R, T);
  multiply(R, R, three); // α = 3·(X − δ)·(X + δ)
  multiply(Z, Y, Z);
  multiply(Z, Z, two); // Z' = 2·Y·Z
  square(X, R);
  multiply(HH, V, eight);
  subtract(X, X, HH); // X' = α² − 8·β
  multiply(HHH, V, four);
  subtract(HHH, HHH, X);
  multiply(Y, R, HHH);
  square(H, H);
  multiply(H, H, eight);
  subtract(Y, Y, H); // Y' = α·(4·β − X') − 8·γ²
}

/** Builds a table window by window: each call of `next` is a small piece of work. */
export function* buildTable(
  field: Field,
  curve: Curve,
  point: Point,
  { address, windowBits }: TablePlace,
): Generator<undefined, void, undefined> {
  const { numberBytes } = field;
  const scratch = scratchIn(field, pointsIn(windowBits));
  const windowBytes = scratch.pointsPerWindow * 2 * numberBytes;
  field.write(address, point.x);
  field.write(address + numberBytes, point.y);
  const windows = windowsOf(curve, windowBits);
  for (let window = 0, at = address; window < windows; window++, at += windowBytes) {
    fillWindow(field, curve, scratch, at, window < windows - 1 ? at + windowBytes : undefined);
    yield;
  }
}

/** From a window's first point makes the others, and the first of the next window. */
function fillWindow(field: Field, curve: Curve, scratch: Scratch, address: number, next: number | undefined): void {
  const { at, arithmetic, numberBytes } = field;
  const { pointsPerWindow } = scratch;
  const keep = (index: number) => field.copy(scratch.points + 3 * index * numberBytes, at.X, 3);
  field.copy(at.X, address, 2);
  field.copy(at.Z, at.one);
  keep(0);
  double(field, scratch);
  keep(1);
  for (let index = 2; index < pointsPerWindow; index++) {
    arithmetic.addPoint(address, address + numberBytes);
    keep(index);
  }
  double(field, scratch);
  keep(pointsPerWindow);
  normalize(field, curve, scratch, (index) => (index < pointsPerWindow ? address + 2 * index * numberBytes : next));
}

/** Brings a window's points to Z = 1 with one inverse for all of them (Montgomery's trick). */
function normalize(
  field: Field,
  { p }: Curve,
  { points, products, pointsPerWindow }: Scratch,
  targetOf: (index: number) => number | undefined,
): void {
  const { at, arithmetic, numberBytes } = field;
  const { multiply, square } = arithmetic;
  const pointAt = (index: number) => points + 3 * index * numberBytes;
  const zAt = (index: number) => pointAt(index) + 2 * numberBytes;
  const productAt = (index: number) => products + index * numberBytes;
  field.copy(productAt(0), zAt(0));
  for (let index = 1; index <= pointsPerWindow; index++) multiply(productAt(index), productAt(index - 1), zAt(index));
  field.write(at.R, inverse(field.read(productAt(pointsPerWindow)), p));
  for (let index = pointsPerWindow; index >= 0; index--) {
    if (index === 0) field.copy(at.H, at.R);
    else multiply(at.H, at.R, productAt(index - 1)); // 1/Z of this point
    multiply(at.R, at.R, zAt(index));
    const target = targetOf(index);
    if (target === undefined) continue;
    square(at.HH, at.H);
    multiply(at.HHH, at.HH, at.H);
    multiply(target, pointAt(index), at.HH);
    multiply(target + numberBytes, pointAt(index) + numberBytes, at.HHH);
  }
}

/**
 * Writes the addresses of the points whose sum is `factor` times the table's point into a list.
 *
 * @param factor big-endian, as long as the curve's order
 * @returns where the list ends
 */
export function listPoints(
  field: Field,
  factor: Uint8Array,
  { address, windowBits }: TablePlace,
  listAt: number,
): number {
  const { words, numberBytes } = field;
  const pointsPerWindow = pointsIn(windowBits);
  const digitMask = 2 ** windowBits - 1;
  const windowBytes = pointsPerWindow * 2 * numberBytes;
  let [end, bits, count, carry, unread, window] = [listAt >> 2, 0, 0, 0, factor.length, address];
  while (unread > 0 || count > 0 || carry > 0) {
    while (count < windowBits && unread > 0) {
      unread--;
      bits |= (factor[unread] ?? 0) << count;
      count += 8;
    }
    const value = (bits & digitMask) + carry;
    bits >>= windowBits;
    count = Math.max(0, count - windowBits);
    carry = value > pointsPerWindow ? 1 : 0;
    const magnitude = carry === 1 ? digitMask + 1 - value : value;
    if (magnitude > 0) words[end++] = window + (magnitude - 1) * 2 * numberBytes + carry;
    window += windowBytes;
  }
  return end << 2;
}
