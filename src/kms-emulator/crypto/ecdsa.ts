/**
 * ECDSA over a digest that is already computed, which node:crypto cannot do: it always hashes what it is given.
 *
 * Signing takes the nonce k and the point kG from OpenSSL (an ephemeral ECDH key pair is exactly that: a uniform scalar
 * and its multiple of the generator) and does the modular arithmetic here; that is several times faster than a JavaScript
 * curve. BigInt arithmetic is not constant-time, which matters to an HSM and not to a test double. Every curve is checked
 * against @noble/curves and OpenSSL in the tests.
 */
import { createECDH, type ECDH } from "node:crypto";
import type { EcCurve } from "./key-spec.ts";

/** Order of the base point: SEC 2, 2.4.1, 2.4.2, 2.5.1 and 2.6.1. */
const orderOf: Record<EcCurve, bigint> = {
  prime256v1: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  secp384r1: BigInt(`0x${"f".repeat(48)}c7634d81f4372ddf581a0db248b0a77aecec196accc52973`),
  secp521r1: BigInt(`0x1${"f".repeat(64)}fa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409`),
  secp256k1: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
};

const scalarBytes: Record<EcCurve, number> = { prime256v1: 32, secp384r1: 48, secp521r1: 66, secp256k1: 32 };

const bitsOf: Record<EcCurve, number> = { prime256v1: 256, secp384r1: 384, secp521r1: 521, secp256k1: 256 };

const ecdhOf: Partial<Record<EcCurve, ECDH>> = {};

/** One for every curve: making it costs as much as a key pair does. Its keys are replaced by whoever uses it next. */
export function ecdh(curve: EcCurve): ECDH {
  const made = ecdhOf[curve] ?? createECDH(curve);
  ecdhOf[curve] = made;
  return made;
}

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
  const pair = ecdh(curve);
  return Array.from({ length: count }, () => {
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

/** A DER INTEGER that is positive and minimal, and where the next element starts. */
function readInteger(der: Uint8Array, at: number): { value: bigint; end: number } | undefined {
  const length = der[at + 1] ?? 0;
  const end = at + 2 + length;
  const [first = 0x80, second = 0] = der.subarray(at + 2, end);
  if (der[at] !== 0x02 || length === 0 || length >= 0x80 || end > der.length || first >= 0x80) return undefined;
  if (first === 0 && length > 1 && second < 0x80) return undefined;
  return { value: toInteger(der.subarray(at + 2, end)), end };
}

/** r and s; undefined for what is not strict DER of two integers. */
function readSignature(der: Uint8Array): { r: bigint; s: bigint } | undefined {
  const isLong = der[1] === 0x81;
  const length = (isLong ? der[2] : der[1]) ?? 0;
  const start = isLong ? 3 : 2;
  if (der[0] !== 0x30 || start + length !== der.length || isLong !== length >= 0x80) return undefined;
  const first = readInteger(der, start);
  const second = first && readInteger(der, first.end);
  return first && second?.end === der.length ? { r: first.value, s: second.value } : undefined;
}

/** The x-coordinate of `scalar` times the generator, by the order of the curve. */
function multipleOfBase(curve: EcCurve, scalar: bigint): bigint {
  const pair = ecdh(curve);
  const bytes = scalarBytes[curve];
  pair.setPrivateKey(Buffer.from(scalar.toString(16).padStart(bytes * 2, "0"), "hex"));
  return toInteger(pair.getPublicKey().subarray(1, 1 + bytes)) % orderOf[curve];
}

/**
 * Whether the key of `scalar` made the signature; false for one that is not strict DER, too.
 *
 * Verifiers without the secret add two multiplied points, u1·G + u2·Q. Who knows d of Q = d·G multiplies the generator once,
 * by u1 + u2·d, for which OpenSSL has tables.
 */
export function verifyDigest(curve: EcCurve, scalar: Uint8Array, digest: Uint8Array, signature: Uint8Array): boolean {
  const n = orderOf[curve];
  const parts = readSignature(signature);
  if (parts === undefined) return false;
  const { r, s } = parts;
  if (r === 0n || r >= n || s === 0n || s >= n) return false;
  const z = digestInteger(digest, bitsOf[curve]);
  const multiple = (inverse(s, n) * ((z + r * toInteger(scalar)) % n)) % n;
  return multiple !== 0n && multipleOfBase(curve, multiple) === r;
}
