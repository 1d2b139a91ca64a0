/**
 * Checking KMS's signatures over a digest before they are handed out.
 *
 * `node:crypto` verifies only what it hashes itself. RSA is easily done with its public operation. For ECDSA the two
 * point multiplications are done by OpenSSL through ECDH, and what remains is a comparison in the field; a curve library
 * in JavaScript takes about ten times as long on P-256.
 */
import {
  constants,
  createECDH,
  createHash,
  createPublicKey,
  type ECDH,
  type KeyObject,
  publicDecrypt,
} from "node:crypto";
import type { SigningAlgorithmSpec } from "../ports.ts";
import { inverse, mod } from "./modular-inverse.ts";

/** Whether a signature is valid for exactly this digest. Never throws: nonsense is invalid. */
export type SignatureVerifier = (algorithm: SigningAlgorithmSpec, digest: Uint8Array, signature: Uint8Array) => boolean;

interface Curve {
  readonly openSslName: string;
  /** Of the field, of the group order, and of the equation y² = x³ − 3x + b (SEC 2, 2.4.2 and 2.5.1). */
  readonly p: bigint;
  readonly n: bigint;
  readonly b: bigint;
  readonly bytes: number;
}

const p256: Curve = {
  openSslName: "prime256v1",
  p: 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn,
  n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
  bytes: 32,
};

const p384: Curve = {
  openSslName: "secp384r1",
  p: 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffffn,
  n: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
  bytes: 48,
};

const integer = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString("hex") || "0"}`);

const octets = (value: bigint, bytes: number): Buffer =>
  Buffer.from(value.toString(16).padStart(2 * bytes, "0"), "hex");

/** Reads `SEQUENCE { INTEGER r, INTEGER s }`, DER; undefined for anything else. */
function readEcdsaSignature(der: Uint8Array): readonly [bigint, bigint] | undefined {
  // Both curves' signatures are shorter than 128 bytes: every length is one byte.
  if (der[0] !== 0x30 || der[1] !== der.length - 2 || der.length > 129) return undefined;
  const numbers: bigint[] = [];
  let at = 2;
  while (at < der.length) {
    const length = der[at + 1] ?? 0;
    const end = at + 2 + length;
    const [first = 0x80, second = 0] = der.subarray(at + 2, end);
    const isMinimal = first !== 0 || length === 1 || second >= 0x80;
    if (der[at] !== 0x02 || length === 0 || end > der.length || first >= 0x80 || !isMinimal) return undefined;
    numbers.push(integer(der.subarray(at + 2, end)));
    at = end;
  }
  const [r, s] = numbers;
  return numbers.length === 2 && r !== undefined && s !== undefined ? [r, s] : undefined;
}

/**
 * Whether r is the x coordinate of u1·G ± u2·Q, without computing that point.
 *
 * ECDH gives only the x coordinate of u2·Q. With (x1, y1) = u1·G, x2 = x(u2·Q) and y2² from the curve's equation, the sum's x
 * obeys (x + x1 + x2)(x1 − x2)² = (y1 ∓ y2)², and squaring once more rids it of y2. That the sign is lost makes the check
 * no weaker: a signature for −Q takes the same secret as one for Q.
 */
function isXOfSum(curve: Curve, ecdh: ECDH, publicPoint: Uint8Array, u1: bigint, u2: bigint, r: bigint): boolean {
  const { p, n, b, bytes } = curve;
  ecdh.setPrivateKey(octets(u2, bytes));
  const x2 = integer(ecdh.computeSecret(publicPoint));
  // The digest is 0: there is no u1·G.
  if (u1 === 0n) return x2 % n === r;
  ecdh.setPrivateKey(octets(u1, bytes));
  const sum = ecdh.getPublicKey();
  const x1 = integer(sum.subarray(1, 1 + bytes));
  const y1 = integer(sum.subarray(1 + bytes));
  const y1y1 = (y1 * y1) % p;
  const y2y2 = mod(((x2 * x2) % p) * x2 - 3n * x2 + b, p);
  const dx = x1 - x2;
  if (dx === 0n) return false;
  const dxdx = (dx * dx) % p;
  for (let x = r; x < p; x += n) {
    const cross = mod((x + x1 + x2) * dxdx - y1y1 - y2y2, p);
    if ((cross * cross) % p === (4n * y1y1 * y2y2) % p) return true;
  }
  return false;
}

function ecdsaVerifier(curve: Curve, key: KeyObject): SignatureVerifier {
  const { x = "", y = "" } = key.export({ format: "jwk" });
  const publicPoint = Buffer.concat([Buffer.from([4]), Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]);
  // What it holds from one signature to the next is as public as they are.
  const ecdh = createECDH(curve.openSslName);
  return (_algorithm, digest, signature) => {
    const { n } = curve;
    const [r, s] = readEcdsaSignature(signature) ?? [0n, 0n];
    if (r <= 0n || r >= n || s <= 0n || s >= n) return false;
    const w = inverse(s, n);
    if ((w * s) % n !== 1n) return false;
    return isXOfSum(curve, ecdh, publicPoint, (integer(digest) * w) % n, (r * w) % n, r);
  };
}

type RsaHash = "sha256" | "sha384" | "sha512";

/** DER of `DigestInfo` up to the digest itself (RFC 8017, 9.2, note 1). */
const digestInfoPrefix: Readonly<Record<RsaHash, string>> = {
  sha256: "3031300d060960864801650304020105000420",
  sha384: "3041300d060960864801650304020205000430",
  sha512: "3051300d060960864801650304020305000440",
};

function mgf1(seed: Uint8Array, length: number, hash: RsaHash): Buffer {
  const blocks: Buffer[] = [];
  for (let counter = 0, size = 0; size < length; counter++) {
    const index = Buffer.alloc(4);
    index.writeUInt32BE(counter);
    const block = createHash(hash).update(seed).update(index).digest();
    blocks.push(block);
    size += block.length;
  }
  return Buffer.concat(blocks).subarray(0, length);
}

/** EMSA-PSS-VERIFY (RFC 8017, 9.1.2) for a modulus of whole bytes and a salt as long as the digest. */
function isPssEncoding(encoded: Uint8Array, digest: Uint8Array, hash: RsaHash): boolean {
  const size = digest.length;
  const maskedLength = encoded.length - size - 1;
  if (encoded.at(-1) !== 0xbc || (encoded[0] ?? 0x80) >= 0x80) return false;
  const h = encoded.subarray(maskedLength, maskedLength + size);
  const db = mgf1(h, maskedLength, hash);
  for (let i = 0; i < maskedLength; i++) db[i] = (db[i] ?? 0) ^ (encoded[i] ?? 0);
  db[0] = (db[0] ?? 0) & 0x7f;
  const saltAt = maskedLength - size;
  if (db.subarray(0, saltAt - 1).some((byte) => byte !== 0) || db[saltAt - 1] !== 1) return false;
  const salt = db.subarray(saltAt);
  return createHash(hash).update(Buffer.alloc(8)).update(digest).update(salt).digest().equals(h);
}

function rsaVerifier(key: KeyObject): SignatureVerifier {
  const bytes = (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8;
  return (algorithm, digest, signature) => {
    // OpenSSL takes leading zeros as it likes; a signature is exactly as long as the modulus (RFC 8017, 8.1.2 and 8.2.2).
    if (signature.length !== bytes) return false;
    const hash = algorithm.endsWith("256") ? "sha256" : algorithm.endsWith("384") ? "sha384" : "sha512";
    const buffer = Buffer.from(signature);
    if (algorithm.startsWith("RSASSA_PSS")) {
      return isPssEncoding(publicDecrypt({ key, padding: constants.RSA_NO_PADDING }, buffer), digest, hash);
    }
    const expected = Buffer.concat([Buffer.from(digestInfoPrefix[hash], "hex"), digest]);
    return publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, buffer).equals(expected);
  };
}

/** Makes the verifier of one public key of SPIRE's types. */
export function signatureVerifier(pkixData: Uint8Array): SignatureVerifier {
  const key = createPublicKey({ key: Buffer.from(pkixData), format: "der", type: "spki" });
  const curve = key.asymmetricKeyDetails?.namedCurve;
  const verify =
    key.asymmetricKeyType === "ec" ? ecdsaVerifier(curve === p384.openSslName ? p384 : p256, key) : rsaVerifier(key);
  return (algorithm, digest, signature) => {
    try {
      return verify(algorithm, digest, signature);
    } catch {
      return false;
    }
  };
}
