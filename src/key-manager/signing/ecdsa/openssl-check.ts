/**
 * ECDSA's check with OpenSSL's point multiplications, which `node:crypto` lends through ECDH.
 *
 * A signature (r, s) of e is valid when r is the x coordinate, modulo n, of R = (e/s)·G + (r/s)·Q. ECDH tells k·G whole but
 * of k·Q only x, so R is computed as (r/s)·((e/r)·G + Q): a multiple of G, one addition of points, and a multiple of the sum,
 * of which x is all that is asked for. No sign is lost, and the only special cases are those of the one addition.
 */
import { createECDH } from "node:crypto";
import { inverse, mod } from "../modular-inverse.ts";
import { type Curve, integerOf, octetsOf, type Point } from "./curve.ts";

/** Whether (r, s) is valid for the digest e; r and s are from 1 to n − 1, e is below n. */
export type EcdsaCheck = (e: bigint, r: bigint, s: bigint) => boolean;

/** The sum of two points; undefined is the point at infinity. */
export function addPoints({ p }: Curve, a: Point, b: Point): Point | undefined {
  if (a.x === b.x && (a.y + b.y) % p === 0n) return undefined;
  const [rise, run] = a.x === b.x ? [3n * a.x * a.x - 3n, 2n * a.y] : [b.y - a.y, b.x - a.x];
  const slope = (mod(rise, p) * inverse(mod(run, p), p)) % p;
  const x = mod(slope * slope - a.x - b.x, p);
  return { x, y: mod(slope * (a.x - x) - a.y, p) };
}

export function openSslCheck(curve: Curve, publicKey: Point): EcdsaCheck {
  const { n, bytes } = curve;
  // What it holds from one signature to the next is as public as they are.
  const ecdh = createECDH(curve.openSslName);

  const multipleOfG = (factor: bigint): Point => {
    ecdh.setPrivateKey(octetsOf(factor, bytes));
    const point = ecdh.getPublicKey();
    return { x: integerOf(point.subarray(1, 1 + bytes)), y: integerOf(point.subarray(1 + bytes)) };
  };
  const xOfMultiple = (factor: bigint, { x, y }: Point): bigint => {
    ecdh.setPrivateKey(octetsOf(factor, bytes));
    return integerOf(ecdh.computeSecret(Buffer.concat([Buffer.from([4]), octetsOf(x, bytes), octetsOf(y, bytes)])));
  };

  return (e, r, s) => {
    const inverseOfBoth = inverse((r * s) % n, n);
    const base = e === 0n ? publicKey : addPoints(curve, multipleOfG((e * s * inverseOfBoth) % n), publicKey);
    // R is the point at infinity, which has no x.
    if (base === undefined) return false;
    return xOfMultiple((r * r * inverseOfBoth) % n, base) % n === r;
  };
}
