/** The field of a curve in WebAssembly: the module at work, and numbers on their way into its memory and out of it. */
import { endianness } from "node:os";
import { mod } from "../../modular-inverse.ts";
import type { Curve } from "../curve.ts";
import { limbBits, type PrimeForm } from "./field-functions.ts";
import { fieldModule } from "./field-module.ts";
import { type Place, placesFor } from "./point-functions.ts";

/** What the module exports. Every number is an address in its memory. */
interface Arithmetic {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly multiply: (out: number, a: number, b: number) => void;
  readonly square: (out: number, a: number) => void;
  readonly subtract: (out: number, a: number, b: number) => void;
  readonly addPoint: (x: number, y: number) => void;
  readonly addPoints: (from: number, to: number) => void;
}

/** What is used of WebAssembly's JavaScript interface, which Node's type declarations lack. */
interface WebAssemblyInterface {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
}

export const pageBytes = 65_536;

const limbMask = 2n ** BigInt(limbBits) - 1n;

/** The primes as sums of powers of two (FIPS 186-5, SP 800-186, 3.2.1.3 and 3.2.1.4), without their last term, −1. */
const forms: Readonly<Record<string, PrimeForm>> = {
  prime256v1: [
    { sign: 1, exponent: 256 },
    { sign: -1, exponent: 224 },
    { sign: 1, exponent: 192 },
    { sign: 1, exponent: 96 },
  ],
  secp384r1: [
    { sign: 1, exponent: 384 },
    { sign: -1, exponent: 128 },
    { sign: -1, exponent: 96 },
    { sign: 1, exponent: 32 },
  ],
};

export function primeFormOf({ openSslName, p }: Curve): PrimeForm {
  const form = forms[openSslName] ?? [];
  const value = form.reduce((sum, { sign, exponent }) => sum + BigInt(sign) * 2n ** BigInt(exponent), -1n);
  if (value !== p) throw new Error(`no form of the prime of ${openSslName}`);
  return form;
}

/** P-256: 10 limbs, 280 bits; P-384: 14 limbs, 392 bits. */
export const limbsOf = ({ bytes }: Curve): number => Math.ceil((8 * bytes + 8) / limbBits);

export class Field {
  readonly limbs: number;
  /** Bytes of a number in memory. */
  readonly numberBytes: number;
  readonly at: Readonly<Record<Place, number>>;
  readonly arithmetic: Arithmetic;
  /** The module's memory in steps of a limb. */
  readonly words: Int32Array;
  readonly #p: bigint;
  /** R, and 1/R, modulo p: a number x is in memory as x·R. */
  readonly #r: bigint;
  readonly #rInverse: bigint;

  /**
   * Makes the module and sets it up, in small steps.
   *
   * @throws Error where there is no WebAssembly, no memory for it, or another order of bytes than WebAssembly's
   */
  static *prepare(curve: Curve, pages: number): Generator<undefined, Field, undefined> {
    const api: WebAssemblyInterface | undefined = Reflect.get(globalThis, "WebAssembly");
    if (api === undefined || endianness() !== "LE") throw new Error("no WebAssembly here");
    const bytes = yield* fieldModule(limbsOf(curve), primeFormOf(curve), pages);
    yield;
    const module = new api.Module(bytes);
    yield;
    return new Field(curve, new api.Instance(module).exports as Arithmetic);
  }

  constructor(curve: Curve, arithmetic: Arithmetic) {
    this.limbs = limbsOf(curve);
    this.numberBytes = 4 * this.limbs;
    this.at = placesFor(this.limbs);
    this.arithmetic = arithmetic;
    this.words = new Int32Array(arithmetic.memory.buffer);
    this.#p = curve.p;
    this.#r = 2n ** BigInt(limbBits * this.limbs) % curve.p;
    this.#rInverse = powerOf(2n, curve.p - 1n - BigInt(limbBits * this.limbs), curve.p);
    this.write(this.at.one, 1n);
    this.writeRaw(this.at.rawOne, 1n);
    this.writeRaw(this.at.p, curve.p);
  }

  /** Writes a number from 0 to p − 1 as it is, without the factor R. */
  writeRaw(address: number, value: bigint): void {
    for (let i = 0, rest = value; i < this.limbs; i++, rest >>= BigInt(limbBits)) {
      this.words[address / 4 + i] = Number(rest & limbMask);
    }
  }

  write(address: number, value: bigint): void {
    this.writeRaw(address, (value * this.#r) % this.#p);
  }

  read(address: number): bigint {
    let value = 0n;
    for (let i = this.limbs - 1; i >= 0; i--)
      value = (value << BigInt(limbBits)) + BigInt(this.words[address / 4 + i] ?? 0);
    return mod(mod(value, this.#p) * this.#rInverse, this.#p);
  }

  copy(to: number, from: number, numbers = 1): void {
    this.words.copyWithin(to / 4, from / 4, from / 4 + numbers * this.limbs);
  }

  /** Whether a number is a multiple of p: multiplied by 1 it lies so near to [0, p] that only 0 and p themselves are. */
  isZero(address: number): boolean {
    const { T, p, one, zero } = this.at;
    this.arithmetic.multiply(T, address, one);
    return this.#isSame(T, zero) || this.#isSame(T, p);
  }

  #isSame(a: number, b: number): boolean {
    for (let i = 0; i < this.limbs; i++) if (this.words[a / 4 + i] !== this.words[b / 4 + i]) return false;
    return true;
  }
}

function powerOf(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let power = 1n;
  for (const bit of exponent.toString(2)) power = (power * power * (bit === "1" ? base : 1n)) % modulus;
  return power;
}
