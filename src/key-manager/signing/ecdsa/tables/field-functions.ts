/**
 * Arithmetic in the field of a curve's prime p, as functions of a WebAssembly module, made from p's own form.
 *
 * A number is N limbs of 28 bits, lowest first, each in 32 bits of memory; all but the highest are from 0 to 2^28 − 1, and
 * the highest has the sign. Products of limbs are 56 bits, and a sum of 14 of them, doubled, is below 2^62, so that nothing
 * has to be carried within a column. Numbers may be negative and some times p: nothing is reduced that need not be.
 *
 * Products are Montgomery's, with R = 2^(28·N): multiply(a, b) = (a·b + m·p)/R for the m in [0, R) that makes it whole. So it
 * lies between a·b/R and a·b/R + p. R is 2^24·p and more for P-256, 2^8·p for P-384, and |a·b| below R·p as long as |a| and
 * |b| are below 16·p: then the product is between −p and 2·p. As p ends in −1, modulo 2^28, the digits of m are the sum's
 * own lowest limbs, and as p is a short sum of powers of two, m·p takes shifts only.
 */
import { type Code, i64, local, setLocal, type WasmFunction } from "./wasm-assembler.ts";

export const limbBits = 28;

/** ± 2^exponent. */
export interface PowerOfTwo {
  readonly sign: 1 | -1;
  readonly exponent: number;
}

const mask = i64.constant(2 ** limbBits - 1);
const range = (length: number): number[] => Array.from({ length }, (_, index) => index);
const sum = (terms: readonly Code[]): Code => terms.reduce(i64.add);

/** p = −1 + these, highest first. */
export type PrimeForm = readonly PowerOfTwo[];

/** Adds the parts of m·p that fall into a column, the −m of the column itself excepted. */
function withReduction(value: Code, column: number, limbs: number, form: PrimeForm, m: (index: number) => Code): Code {
  return form.reduce((total, { sign, exponent }) => {
    const digit = column - Math.floor(exponent / limbBits);
    if (digit < 0 || digit >= limbs) return total;
    const part = i64.shiftLeft(m(digit), exponent % limbBits);
    return sign === 1 ? i64.add(total, part) : i64.subtract(total, part);
  }, value);
}

/**
 * The common part of multiply and square: goes through the columns of the product from the lowest.
 *
 * The lower N columns give the digits of m. Taking away m and dividing by 2^28 is one shift that rounds down.
 */
function columns(limbs: number, form: PrimeForm, t: number, firstM: number, productOf: (column: number) => Code): Code {
  const m = (index: number) => local(firstM + index);
  return range(2 * limbs - 1).map((column) => {
    const total = i64.add(local(t), productOf(column));
    const reduced = setLocal(t, withReduction(total, column, limbs, form, m));
    const digit = i64.and(local(t), mask);
    const kept = column < limbs ? setLocal(firstM + column, digit) : i64.store32(local(0), 4 * (column - limbs), digit);
    return [reduced, kept, setLocal(t, i64.shiftRight(local(t), limbBits))];
  });
}

const storeHighest = (limbs: number, t: number): Code => i64.store32(local(0), 4 * (limbs - 1), local(t));

/** multiply(out, a, b); out may be a or b. */
export function multiplyFunction(limbs: number, form: PrimeForm): WasmFunction {
  const [a, b, m, t] = [3, 3 + limbs, 3 + 2 * limbs, 3 + 3 * limbs];
  const productOf = (column: number) =>
    sum(
      range(limbs)
        .filter((i) => column - i >= 0 && column - i < limbs)
        .map((i) => i64.multiply(local(a + i), local(b + column - i))),
    );
  const load = range(limbs).map((i) => [
    setLocal(a + i, i64.load32(local(1), 4 * i)),
    setLocal(b + i, i64.load32(local(2), 4 * i)),
  ]);
  const body = [load, columns(limbs, form, t, m, productOf), storeHighest(limbs, t)];
  return { name: "multiply", parameters: 3, locals64: 3 * limbs + 1, locals32: 0, body };
}

/** square(out, a); out may be a. */
export function squareFunction(limbs: number, form: PrimeForm): WasmFunction {
  const [a, m, t] = [2, 2 + limbs, 2 + 2 * limbs];
  const productOf = (column: number) => {
    const pairs = range(limbs)
      .filter((i) => i < column - i && column - i < limbs)
      .map((i) => i64.multiply(local(a + i), local(a + column - i)));
    const doubled = pairs.length === 0 ? [] : [i64.shiftLeft(sum(pairs), 1)];
    const half = local(a + column / 2);
    return sum(column % 2 === 0 ? [...doubled, i64.multiply(half, half)] : doubled);
  };
  const load = range(limbs).map((i) => setLocal(a + i, i64.load32(local(1), 4 * i)));
  const body = [load, columns(limbs, form, t, m, productOf), storeHighest(limbs, t)];
  return { name: "square", parameters: 2, locals64: 2 * limbs + 1, locals32: 0, body };
}

/** subtract(out, a, b); out may be a or b. */
export function subtractFunction(limbs: number): WasmFunction {
  const t = 3;
  const body = range(limbs).map((i) => {
    const difference = i64.subtract(i64.load32(local(1), 4 * i), i64.load32(local(2), 4 * i));
    const total = setLocal(t, i64.add(local(t), difference));
    if (i === limbs - 1) return [total, storeHighest(limbs, t)];
    return [
      total,
      i64.store32(local(0), 4 * i, i64.and(local(t), mask)),
      setLocal(t, i64.shiftRight(local(t), limbBits)),
    ];
  });
  return { name: "subtract", parameters: 3, locals64: 1, locals32: 0, body };
}
