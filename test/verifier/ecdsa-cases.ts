/** ECDSA signatures that a careless verifier gets wrong, made for a key whose private part is known. */
import { createPublicKey, type KeyObject } from "node:crypto";
import { p256, p384 } from "@noble/curves/nist.js";

export const libraryCurves = { "P-256": p256, "P-384": p384 } as const;
export type CurveName = keyof typeof libraryCurves;

export interface SignatureCase {
  readonly name: string;
  readonly publicKey: KeyObject;
  readonly digest: Uint8Array;
  readonly signature: Uint8Array;
  readonly isValid: boolean;
}

type LibraryPoint = InstanceType<typeof p256.Point>;

export const octets = (value: bigint, bytes: number): Buffer =>
  Buffer.from(value.toString(16).padStart(2 * bytes, "0"), "hex");

export function publicKeyOf(curve: CurveName, point: Pick<LibraryPoint, "toAffine">): KeyObject {
  const bytes = libraryCurves[curve].Point.Fp.BYTES;
  const { x, y } = point.toAffine();
  const jwk = {
    kty: "EC",
    crv: curve,
    x: octets(x, bytes).toString("base64url"),
    y: octets(y, bytes).toString("base64url"),
  };
  return createPublicKey({ key: jwk, format: "jwk" });
}

const tlv = (tag: number, body: Uint8Array): Buffer => Buffer.concat([Buffer.from([tag, body.length]), body]);

function integer(value: bigint): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 1 ? `0${hex}` : hex, "hex");
  return tlv(2, (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes);
}

export const derOf = (r: bigint, s: bigint): Buffer => tlv(0x30, Buffer.concat([integer(r), integer(s)]));

/** Arithmetic of one curve: k·G, r of a nonce, s of a signature, all modulo n. */
function arithmetic(name: CurveName) {
  const { Point } = libraryCurves[name];
  const { Fn } = Point;
  const multiple = (k: bigint) => Point.BASE.multiply(Fn.create(k));
  const rOf = (k: bigint) => Fn.create(multiple(k).toAffine().x);
  const sOf = (d: bigint, k: bigint, e: bigint) => Fn.div(Fn.create(e + rOf(k) * d), k);
  return { Point, Fn, n: Fn.ORDER, p: Point.Fp.ORDER, bytes: Point.Fp.BYTES, multiple, rOf, sOf };
}

/** Of the sign of y, of the numbers' range, and of the sum of the two points. */
export function numberCases(curve: CurveName, d: bigint, k: bigint, e: bigint): SignatureCase[] {
  const { Fn, n, bytes, multiple, rOf, sOf } = arithmetic(curve);
  const publicKey = publicKeyOf(curve, multiple(d));
  const r = rOf(k);
  const s = sOf(d, k, e);
  const make = (name: string, isValid: boolean, digest: bigint, [R, S]: readonly [bigint, bigint] = [r, s]) => ({
    name: `${curve}: ${name}`,
    publicKey,
    digest: octets(digest, bytes),
    signature: derOf(R, S),
    isValid,
  });
  const doubling = Fn.create(r * d);
  const infinity = Fn.create(-r * d);
  const maximal = (1n << BigInt(8 * bytes)) - 1n;
  return [
    make("a plain signature", true, e),
    make("its other form, n - s", true, e, [r, n - s]),
    make("made with n - d", false, e, [r, sOf(n - d, k, e)]),
    make("of the digest n - e", false, e, [r, sOf(d, k, n - e)]),
    make("of the digest e + 1", false, e, [r, sOf(d, k, e + 1n)]),
    make("of a digest of zeros", true, 0n, [r, sOf(d, k, 0n)]),
    make("of a digest of zeros, for another one", false, 1n, [r, sOf(d, k, 0n)]),
    make("of the digest n, which is 0", true, n, [r, sOf(d, k, 0n)]),
    make("of a digest above n", true, maximal, [r, sOf(d, k, maximal)]),
    make("two equal points are added", true, doubling, [r, sOf(d, k, doubling)]),
    make("two equal points are added, wrong s", false, doubling, [r, s]),
    make("the sum is the point at infinity", false, infinity, [r, s]),
    make("the sum is the point at infinity, s = 1", false, infinity, [r, 1n]),
    ...[0n, n, n + 1n].flatMap((bad) => [
      make(`r = ${bad === 0n ? "0" : `n + ${bad - n}`}`, false, e, [bad, s]),
      make(`s = ${bad === 0n ? "0" : `n + ${bad - n}`}`, false, e, [r, bad]),
    ]),
    make("r = s = 0", false, 0n, [0n, 0n]),
    make("r = n - 1", false, e, [n - 1n, s]),
    make("s = n - 1", false, e, [r, n - 1n]),
    make("s = 1", false, e, [r, 1n]),
    make("r + n", false, e, [r + n, s]),
    make("s + n", false, e, [r, s + n]),
    make("n - r", false, e, [n - r, s]),
    make("r and s exchanged", false, e, [s, r]),
  ];
}

/**
 * Sums in which a point that is added by itself, from a table of multiples, meets itself or its negative halfway: a multiple
 * u1·G that is ± the part of u2·Q which is added first. Formulas for distinct points make of it (0 : 0 : 0), which satisfies
 * every equation, so that a verifier which does not look accepts any r.
 */
export function meetingCases(curve: CurveName, d: bigint, k: bigint): SignatureCase[] {
  const { Fn, bytes, multiple, rOf } = arithmetic(curve);
  const publicKey = publicKeyOf(curve, multiple(d));
  const sums = [1n, -1n].flatMap((sign) =>
    [1n, 5n, 1n + 3n * 2n ** 21n, 5n + 2n ** 140n].map((u2) => ({ u1: Fn.create(sign * d * (u2 % 16n)), u2 })),
  );
  return sums.flatMap(({ u1, u2 }) => {
    const total = Fn.create(u1 + u2 * d);
    const make = (r: bigint, isValid: boolean): SignatureCase => {
      const s = Fn.div(r, u2);
      const name = `${curve}: points meet, ${u1 === Fn.create(d * (u2 % 16n)) ? "equal" : "opposite"}, r/s = ${u2}, r ${isValid ? "right" : "wrong"}`;
      return { name, publicKey, digest: octets(Fn.mul(u1, s), bytes), signature: derOf(r, s), isValid };
    };
    return [make(rOf(k), false), ...(total === 0n ? [] : [make(rOf(total), true)])];
  });
}

/** A signature whose R has the given x, by choosing the key to it: Q = (s·R − e·G)/r. */
function caseWithX(curve: CurveName, name: string, x: bigint, e: bigint, s: bigint): SignatureCase | undefined {
  const { Point, Fn, bytes } = arithmetic(curve);
  let R: ReturnType<typeof Point.fromHex>;
  try {
    R = Point.fromHex(`02${octets(x, bytes).toString("hex")}`);
  } catch {
    return undefined;
  }
  const r = Fn.create(x);
  const Q = R.multiply(s)
    .add(Point.BASE.multiply(Fn.create(-e)))
    .multiply(Fn.inv(r));
  const publicKey = publicKeyOf(curve, Q);
  return { name: `${curve}: ${name}`, publicKey, digest: octets(e, bytes), signature: derOf(r, s), isValid: true };
}

/** x of R at the borders: above n, so that r is x − n, and below p − n, so that r + n is an x too. */
export function borderCases(curve: CurveName, e: bigint, s: bigint): SignatureCase[] {
  const { n, p } = arithmetic(curve);
  const steps = Array.from({ length: 12 }, (_, i) => BigInt(i));
  return [
    ...steps.map((i) => caseWithX(curve, `x of R is n + ${i + 1n}`, n + i + 1n, e, s)),
    ...steps.map((i) => caseWithX(curve, `x of R is p - ${i + 1n}`, p - i - 1n, e, s)),
    ...steps.map((i) => caseWithX(curve, `x of R is ${i + 1n}`, i + 1n, e, s)),
    ...steps.map((i) => caseWithX(curve, `x of R is p - n - ${i + 1n}`, p - n - i - 1n, e, s)),
    ...steps.map((i) => caseWithX(curve, `x of R is p - n + ${i}`, p - n + i, e, s)),
    ...steps.map((i) => caseWithX(curve, `x of R is n - ${i + 1n}`, n - i - 1n, e, s)),
  ].filter((entry) => entry !== undefined);
}

/** Other spellings of one valid signature; a certificate holds DER. */
export function encodingCases(curve: CurveName, d: bigint, k: bigint, e: bigint): SignatureCase[] {
  const { bytes, multiple, rOf, sOf } = arithmetic(curve);
  const publicKey = publicKeyOf(curve, multiple(d));
  const [r, s] = [integer(rOf(k)), integer(sOf(d, k, e))];
  const zero = Buffer.alloc(1);
  const padded = (number: Buffer) => tlv(2, Buffer.concat([zero, number.subarray(2)]));
  const unsigned = (value: bigint) => tlv(2, octets(value, bytes));
  const sequence = (...parts: Uint8Array[]) => tlv(0x30, Buffer.concat(parts));
  const der = sequence(r, s);
  const body = der.subarray(2);
  const spellings: Readonly<Record<string, Uint8Array>> = {
    "a byte after the sequence": Buffer.concat([der, zero]),
    "a byte after s, within": sequence(r, s, zero),
    "a third integer": sequence(r, s, integer(1n)),
    "r only": sequence(r),
    "an empty sequence": sequence(),
    nothing: new Uint8Array(),
    "the last byte missing": der.subarray(0, -1),
    "the first byte missing": der.subarray(1),
    "r with a needless zero": sequence(padded(r), s),
    "s with a needless zero": sequence(r, padded(s)),
    "r negative": sequence(unsigned(rOf(k) | (1n << BigInt(8 * bytes - 1))), s),
    "s negative": sequence(r, unsigned(sOf(d, k, e) | (1n << BigInt(8 * bytes - 1)))),
    "r empty": sequence(tlv(2, new Uint8Array()), s),
    "s empty": sequence(r, tlv(2, new Uint8Array())),
    "r longer than the sequence": Buffer.from(der).fill(0x7f, 3, 4),
    "a length of two bytes": Buffer.concat([Buffer.from([0x30, 0x81, body.length]), body]),
    "an indefinite length": Buffer.concat([Buffer.from([0x30, 0x80]), body, Buffer.alloc(2)]),
    "a length of one too many": Buffer.from(der).fill(body.length + 1, 1, 2),
    "a length of one too few": Buffer.from(der).fill(body.length - 1, 1, 2),
    "a set": tlv(0x31, body),
    "an octet string for r": sequence(Buffer.from(r).fill(4, 0, 1), s),
    "an octet string for s": sequence(r, Buffer.from(s).fill(4, 0, 1)),
    "not DER at all, r and s side by side": Buffer.concat([octets(rOf(k), bytes), octets(sOf(d, k, e), bytes)]),
  };
  const digest = octets(e, bytes);
  return Object.entries(spellings).map(([name, signature]) => ({
    name: `${curve}: ${name}`,
    publicKey,
    digest,
    signature,
    isValid: false,
  }));
}
