/**
 * ECDSA over a digest that is already computed, which node:crypto cannot do: it always hashes what it is given.
 *
 * Signing takes the nonce k and the point kG from OpenSSL (an ephemeral ECDH key pair is exactly that: a uniform scalar
 * and its multiple of the generator) and does the modular arithmetic here; that is several times faster than a JavaScript
 * curve. BigInt arithmetic is not constant-time, which matters to an HSM and not to a test double. Every curve is checked
 * against @noble/curves and OpenSSL in the tests. Verification of a digest uses @noble/curves.
 */
import { createECDH } from "node:crypto";
import { p256, p384, p521 } from "@noble/curves/nist.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import type { EcCurve } from "./key-spec.ts";

const nobleOf = { prime256v1: p256, secp384r1: p384, secp521r1: p521, secp256k1 } as const;

/** Order of the base point. */
const orderOf: Record<EcCurve, bigint> = {
  prime256v1: p256.Point.CURVE().n,
  secp384r1: p384.Point.CURVE().n,
  secp521r1: p521.Point.CURVE().n,
  secp256k1: secp256k1.Point.CURVE().n,
};

const bitsOf: Record<EcCurve, number> = { prime256v1: 256, secp384r1: 384, secp521r1: 521, secp256k1: 256 };

const toInteger = (bytes: Uint8Array): bigint =>
  bytes.length === 0 ? 0n : BigInt(`0x${Buffer.from(bytes).toString("hex")}`);

/** The leftmost bits of the digest, as many as the order has (FIPS 186-5, 6.4.1). */
function digestInteger(digest: Uint8Array, bits: number): bigint {
  const excess = digest.length * 8 - bits;
  const value = toInteger(digest);
  return excess > 0 ? value >> BigInt(excess) : value;
}

/** Inverse by the extended Euclidean algorithm; `value` is in [1, modulus). */
function inverse(value: bigint, modulus: bigint): bigint {
  let [a, b] = [modulus, value];
  let [u, v] = [0n, 1n];
  while (b !== 0n) {
    const quotient = a / b;
    const rest = a - quotient * b;
    a = b;
    b = rest;
    const next = u - quotient * v;
    u = v;
    v = next;
  }
  return u < 0n ? u + modulus : u;
}

/** A secret number for one signature: r, and the inverse of k. */
interface Nonce {
  readonly r: bigint;
  readonly inverse: bigint;
}

/**
 * How many nonces are made at a time. Their inverses then cost one inversion together, which for the 256-bit curves is
 * most of a signature's work; for the larger ones the point multiplication is, and a batch would only make a pause.
 */
const batchOf: Record<EcCurve, number> = { prime256v1: 16, secp256k1: 16, secp384r1: 1, secp521r1: 1 };

const nonces: Record<EcCurve, Nonce[]> = { prime256v1: [], secp256k1: [], secp384r1: [], secp521r1: [] };

/** Fresh (k, r) pairs from OpenSSL. */
function makePairs(curve: EcCurve, count: number): { k: bigint; r: bigint }[] {
  return Array.from({ length: count }, () => {
    const pair = createECDH(curve);
    const point = pair.generateKeys();
    const r = toInteger(point.subarray(1, 1 + (point.length - 1) / 2)) % orderOf[curve];
    return { k: toInteger(pair.getPrivateKey()), r };
  });
}

/** Montgomery's trick: all inverses from the inverse of the product. */
function makeNonces(curve: EcCurve): Nonce[] {
  const n = orderOf[curve];
  const pairs = makePairs(curve, batchOf[curve]);
  const products: bigint[] = [];
  let product = 1n;
  for (const { k } of pairs) {
    products.push(product);
    product = (product * k) % n;
  }
  let rest = inverse(product, n);
  const made: Nonce[] = [];
  for (let index = pairs.length - 1; index >= 0; index -= 1) {
    const { k = 1n, r = 0n } = pairs[index] ?? {};
    made.push({ r, inverse: (rest * (products[index] ?? 1n)) % n });
    rest = (rest * k) % n;
  }
  return made;
}

/** A nonce that is given out once. */
function takeNonce(curve: EcCurve): Nonce {
  const pool = nonces[curve];
  if (pool.length === 0) pool.push(...makeNonces(curve));
  return pool.pop() ?? takeNonce(curve);
}

/** DER INTEGER of a positive number: minimal, with a zero byte in front if the top bit is set. */
function derInteger(value: bigint): Buffer {
  let hex = value.toString(16);
  if (hex.length % 2 === 1) hex = `0${hex}`;
  if (Number.parseInt(hex.slice(0, 2), 16) >= 0x80) hex = `00${hex}`;
  return Buffer.concat([Buffer.from([0x02, hex.length / 2]), Buffer.from(hex, "hex")]);
}

function derSignature(r: bigint, s: bigint): Buffer {
  const body = Buffer.concat([derInteger(r), derInteger(s)]);
  const header = body.length < 0x80 ? [0x30, body.length] : [0x30, 0x81, body.length];
  return Buffer.concat([Buffer.from(header), body]);
}

/** DER signature over `digest`; S is not brought to the lower half, as KMS does not. */
export function signDigest(curve: EcCurve, scalar: Uint8Array, digest: Uint8Array): Uint8Array {
  const n = orderOf[curve];
  const d = toInteger(scalar);
  const z = digestInteger(digest, bitsOf[curve]);
  for (;;) {
    const nonce = takeNonce(curve);
    const s = (nonce.inverse * ((z + nonce.r * d) % n)) % n;
    if (nonce.r !== 0n && s !== 0n) return derSignature(nonce.r, s);
  }
}

/** `publicPoint`: uncompressed. False for a signature that is not strict DER, too. */
export function verifyDigest(
  curve: EcCurve,
  publicPoint: Uint8Array,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  try {
    return nobleOf[curve].verify(signature, digest, publicPoint, { prehash: false, lowS: false, format: "der" });
  } catch {
    return false;
  }
}
