/** The two curves of SPIRE's key types: y² = x³ − 3x + b over the field of p, a group of prime order n (SEC 2, 2.4.2 and 2.5.1). */

export interface Curve {
  readonly openSslName: string;
  readonly p: bigint;
  readonly n: bigint;
  /** Size of p and of n in bytes; they are equally long. */
  readonly bytes: number;
  /** The generator G. */
  readonly generator: Point;
}

/** A point of the curve other than the point at infinity. */
export interface Point {
  readonly x: bigint;
  readonly y: bigint;
}

export const p256: Curve = {
  openSslName: "prime256v1",
  p: 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn,
  n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  bytes: 32,
  generator: {
    x: 0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
    y: 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
  },
};

export const p384: Curve = {
  openSslName: "secp384r1",
  p: 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffffn,
  n: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  bytes: 48,
  generator: {
    x: 0xaa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7n,
    y: 0x3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5fn,
  },
};

export const integerOf = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString("hex") || "0"}`);

/** Big-endian, with leading zeros up to `bytes`. */
export const octetsOf = (value: bigint, bytes: number): Buffer =>
  Buffer.from(value.toString(16).padStart(2 * bytes, "0"), "hex");
