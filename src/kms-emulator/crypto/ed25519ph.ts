/**
 * Ed25519ph (RFC 8032, 5.1) over a SHA-512 digest that is already computed; libraries take the message and hash it
 * themselves. Checked against @noble/curves' own Ed25519ph in the tests.
 */
import { createHash } from "node:crypto";
import { ed25519 } from "@noble/curves/ed25519.js";
import type { KeyMaterial } from "./key-material.ts";

const { Point } = ed25519;
const order = Point.Fn.ORDER;

/** dom2 with the prehash flag set and an empty context. */
const domain = Buffer.concat([Buffer.from("SigEd25519 no Ed25519 collisions"), Buffer.from([1, 0])]);

const sha512 = (...parts: readonly Uint8Array[]): Buffer => createHash("sha512").update(Buffer.concat(parts)).digest();

const toInteger = (littleEndian: Uint8Array): bigint =>
  BigInt(`0x${Buffer.from(littleEndian).reverse().toString("hex")}`);

const toBytes = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(64, "0"), "hex").reverse();

/** Both DER forms end with the 32 bytes that matter. */
const tail = (der: Uint8Array): Uint8Array => der.subarray(der.length - 32);

export function signEd25519phDigest(material: KeyMaterial, digest: Uint8Array): Uint8Array {
  const expanded = sha512(tail(material.secret));
  const clamped = Buffer.from(expanded.subarray(0, 32));
  clamped[0] = (clamped[0] ?? 0) & 0xf8;
  clamped[31] = ((clamped[31] ?? 0) & 0x7f) | 0x40;
  const nonce = toInteger(sha512(domain, expanded.subarray(32), digest)) % order;
  const encodedPoint = Point.BASE.multiply(nonce).toBytes();
  const challenge = toInteger(sha512(domain, encodedPoint, tail(material.publicKey), digest)) % order;
  return Buffer.concat([encodedPoint, toBytes((nonce + challenge * toInteger(clamped)) % order)]);
}

export function verifyEd25519phDigest(material: KeyMaterial, digest: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== 64) return false;
  const encodedPoint = signature.subarray(0, 32);
  const scalar = toInteger(signature.subarray(32));
  if (scalar === 0n || scalar >= order) return false;
  try {
    const publicKey = tail(material.publicKey);
    const challenge = toInteger(sha512(domain, encodedPoint, publicKey, digest)) % order;
    const expected = Point.fromBytes(encodedPoint).add(Point.fromBytes(publicKey).multiply(challenge));
    return Point.BASE.multiply(scalar).equals(expected);
  } catch {
    return false; // not a point
  }
}
