/** Inverses modulo the primes of a curve. */

/** The remainder that is not negative. */
export const mod = (value: bigint, modulus: bigint): bigint => {
  const rest = value % modulus;
  return rest < 0n ? rest + modulus : rest;
};

/** `value` is not 0 and below `modulus`, which is prime. */
export function inverse(value: bigint, modulus: bigint): bigint {
  const found = inverseInLimbs(value, modulus);
  // What this proves right needs no other proof.
  if (found !== undefined && (found * value) % modulus === 1n) return found;
  return inverseByDivision(value, modulus);
}

/** Euclid's extended algorithm, step by step. */
export function inverseByDivision(value: bigint, modulus: bigint): bigint {
  let [r0, r1, t0, t1] = [modulus, value, 0n, 1n];
  while (r1 > 0n) {
    const quotient = r0 / r1;
    [r0, r1, t0, t1] = [r1, r0 - quotient * r1, t1, t0 - quotient * t1];
  }
  return mod(t0, modulus);
}

/** A limb times a cofactor, twice, and a carry stay within the 53 bits of a number. */
const limbBits = 24;
const limbBase = 2 ** limbBits;
const maxCofactor = limbBase;
/** Below this, a pair of limbs, numbers do without limbs. */
const pairBits = BigInt(2 * limbBits);
/** P-384's primes, and one limb for what is carried. */
const maxLimbs = 384 / limbBits + 1;

/** r0 and r1 of Euclid's algorithm, and the magnitudes of t0 and t1, whose signs are never the same; lowest limb first. */
const [r0, r1, t0, t1] = [0, 0, 0, 0].map(() => new Float64Array(maxLimbs)) as [
  Float64Array,
  Float64Array,
  Float64Array,
  Float64Array,
];

/** [a, b, c, d] of a·x + b·y and c·x + d·y. Either a and d are not negative and b and c not positive, or the reverse. */
type Cofactors = readonly [number, number, number, number];

/**
 * Extended Euclid after Lehmer: many of the algorithm's steps are told by the leading 48 bits of both numbers, and done at
 * once.
 *
 * @returns undefined where a quotient is so large that the leading bits do not tell it
 */
function inverseInLimbs(value: bigint, modulus: bigint): bigint | undefined {
  const limbs = write(r0, modulus);
  write(r1, value);
  t0.fill(0);
  t1.fill(0);
  t1[0] = 1;
  let isNegative = true; // t0
  let top = limbs - 1;
  for (; top > 1; top -= r0[top] === 0 ? 1 : 0) {
    const cofactors = leadingSteps(leading(r0, r0, top), leading(r1, r0, top));
    const [a, b, c, d] = cofactors;
    if (b === 0) return undefined;
    combine(r0, r1, top + 1, cofactors);
    combine(t0, t1, limbs + 1, [Math.abs(a), Math.abs(b), Math.abs(c), Math.abs(d)]);
    if (d < 0) isNegative = !isNegative;
  }
  const [a, b] = lastSteps(pair(r0, 0), pair(r1, 0));
  const magnitude = BigInt(Math.abs(a)) * read(t0) + BigInt(Math.abs(b)) * read(t1);
  return mod(isNegative === b > 0 ? magnitude : -magnitude, modulus);
}

/** @returns how many limbs the number has */
function write(limbs: Float64Array, value: bigint): number {
  limbs.fill(0);
  let length = 0;
  for (let rest = value; rest > 0n; rest >>= pairBits) {
    const low = Number(BigInt.asUintN(2 * limbBits, rest));
    limbs[length + 1] = Math.floor(low / limbBase);
    limbs[length] = low % limbBase;
    length += 2;
  }
  return limbs[length - 1] === 0 ? length - 1 : length;
}

function read(limbs: Float64Array): bigint {
  let value = BigInt(limbs[maxLimbs - 1] ?? 0);
  for (let at = maxLimbs - 3; at >= 0; at -= 2) value = (value << pairBits) + BigInt(pair(limbs, at));
  return value;
}

const pair = (limbs: Float64Array, low: number): number => (limbs[low + 1] ?? 0) * limbBase + (limbs[low] ?? 0);

/** The bits of a number that stand where the 48 leading ones of another are, whose highest limb is `top`. */
function leading(limbs: Float64Array, largest: Float64Array, top: number): number {
  const scale = 1 << (Math.clz32(largest[top] ?? 0) - 32 + limbBits);
  return pair(limbs, top - 1) * scale + Math.floor(((limbs[top - 2] ?? 0) * scale) / limbBase);
}

/** As many of Euclid's steps as the leading bits of both numbers tell (Knuth, TAOCP 4.5.2, algorithm L); b is 0 for none. */
function leadingSteps(x: number, y: number): Cofactors {
  let [a, b, c, d] = [1, 0, 0, 1];
  while (y + c !== 0 && y + d !== 0) {
    const quotient = Math.floor((x + a) / (y + c));
    if (quotient !== Math.floor((x + b) / (y + d))) break;
    const [nextC, nextD] = [a - quotient * c, b - quotient * d];
    if (Math.abs(nextC) > maxCofactor || Math.abs(nextD) > maxCofactor) break;
    [a, c, b, d] = [c, nextC, d, nextD];
    [x, y] = [y, x - quotient * y];
  }
  return [a, b, c, d];
}

/** All the steps that are left, of numbers below 2^48: the greatest common divisor is a·x + b·y. */
function lastSteps(x: number, y: number): readonly [number, number] {
  let [a, b, c, d] = [1, 0, 0, 1];
  while (y > 0) {
    const quotient = Math.floor(x / y);
    [a, c] = [c, a - quotient * c];
    [b, d] = [d, b - quotient * d];
    [x, y] = [y, x - quotient * y];
  }
  return [a, b];
}

/** x and y become a·x + b·y and c·x + d·y, neither of which is negative. */
function combine(x: Float64Array, y: Float64Array, length: number, [a, b, c, d]: Cofactors): void {
  let [carryX, carryY] = [0, 0];
  for (let i = 0; i < length; i++) {
    const [xi, yi] = [x[i] ?? 0, y[i] ?? 0];
    const sumX = a * xi + b * yi + carryX;
    const sumY = c * xi + d * yi + carryY;
    carryX = Math.floor(sumX / limbBase);
    carryY = Math.floor(sumY / limbBase);
    x[i] = sumX - carryX * limbBase;
    y[i] = sumY - carryY * limbBase;
  }
}
