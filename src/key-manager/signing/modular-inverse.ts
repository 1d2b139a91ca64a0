/** Inverses modulo the order of a curve's group. */

/** The remainder that is not negative. */
export const mod = (value: bigint, modulus: bigint): bigint => {
  const rest = value % modulus;
  return rest < 0n ? rest + modulus : rest;
};

const leadingBits = 48;
const maxCofactor = 2 ** 24;
const maxLeading = 2n ** BigInt(leadingBits) - 1n;

/**
 * The product of as many of Euclid's steps as the leading bits of both numbers tell (Knuth, TAOCP 4.5.2, algorithm L), as
 * cofactors [a, b, c, d] of a·x + b·y and c·x + d·y; b is 0 when they tell none. A quotient is only ever equal in both
 * tests while it is below 2^24 or so, and everything stays exact in 53 bits.
 */
function leadingSteps(x: number, y: number): readonly [number, number, number, number] {
  let [a, b, c, d] = [1, 0, 0, 1];
  while (y + c !== 0 && y + d !== 0 && Math.abs(c) <= maxCofactor && Math.abs(d) <= maxCofactor) {
    const quotient = Math.floor((x + a) / (y + c));
    if (quotient !== Math.floor((x + b) / (y + d))) break;
    [a, c] = [c, a - quotient * c];
    [b, d] = [d, b - quotient * d];
    [x, y] = [y, x - quotient * y];
  }
  return [a, b, c, d];
}

/** Extended Euclid after Lehmer; `value` is not 0 and below `modulus`, which is prime. */
export function inverse(value: bigint, modulus: bigint): bigint {
  let [r0, r1, t0, t1] = [modulus, value, 0n, 1n];
  while (r1 > 0n) {
    const [a, b, c, d] = r1 > maxLeading ? leadingStepsOf(r0, r1) : [1, 0, 0, 1];
    if (b === 0) {
      const quotient = r0 / r1;
      [r0, r1, t0, t1] = [r1, r0 - quotient * r1, t1, t0 - quotient * t1];
    } else {
      const [A, B, C, D] = [BigInt(a), BigInt(b), BigInt(c), BigInt(d)];
      [r0, r1, t0, t1] = [A * r0 + B * r1, C * r0 + D * r1, A * t0 + B * t1, C * t0 + D * t1];
    }
  }
  return mod(t0, modulus);
}

function leadingStepsOf(r0: bigint, r1: bigint): readonly [number, number, number, number] {
  const shift = BigInt(4 * r0.toString(16).length - leadingBits);
  return leadingSteps(Number(r0 >> shift), Number(r1 >> shift));
}
