/**
 * Checking RSA signatures over a digest with one public key (RFC 8017, 8.1.2 and 8.2.2).
 *
 * OpenSSL does the public operation without padding; what comes out is compared with the only encoding that KMS makes.
 * Whatever a lenient reader might take besides (a DigestInfo without NULL, another salt length, BER) is refused.
 */
import { constants, createHash, type KeyObject, publicDecrypt } from "node:crypto";
import type { SigningAlgorithmSpec } from "../ports.ts";

interface Hash {
  readonly name: "sha256" | "sha384" | "sha512";
  readonly bytes: number;
  /** DER of `DigestInfo` up to the digest itself (RFC 8017, 9.2, note 1). */
  readonly digestInfoPrefix: Buffer;
}

const sha256: Hash = {
  name: "sha256",
  bytes: 32,
  digestInfoPrefix: Buffer.from("3031300d060960864801650304020105000420", "hex"),
};
const sha384: Hash = {
  name: "sha384",
  bytes: 48,
  digestInfoPrefix: Buffer.from("3041300d060960864801650304020205000430", "hex"),
};
const sha512: Hash = {
  name: "sha512",
  bytes: 64,
  digestInfoPrefix: Buffer.from("3051300d060960864801650304020305000440", "hex"),
};

function mgf1(seed: Uint8Array, length: number, { name, bytes }: Hash): Buffer {
  const mask = Buffer.alloc(Math.ceil(length / bytes) * bytes);
  const input = Buffer.concat([seed, Buffer.alloc(4)]);
  for (let counter = 0; counter * bytes < length; counter++) {
    input.writeUInt32BE(counter, seed.length);
    createHash(name)
      .update(input)
      .digest()
      .copy(mask, counter * bytes);
  }
  return mask.subarray(0, length);
}

/** EMSA-PSS-VERIFY (RFC 8017, 9.1.2) for a modulus of whole bytes. */
function isPssEncoding(encoded: Uint8Array, digest: Uint8Array, hash: Hash, saltLength: number): boolean {
  const maskedLength = encoded.length - hash.bytes - 1;
  const saltAt = maskedLength - saltLength;
  if (saltAt < 1 || encoded.at(-1) !== 0xbc || (encoded[0] ?? 0x80) >= 0x80) return false;
  const h = encoded.subarray(maskedLength, maskedLength + hash.bytes);
  const db = mgf1(h, maskedLength, hash);
  for (let i = 0; i < maskedLength; i++) db[i] = (db[i] ?? 0) ^ (encoded[i] ?? 0);
  db[0] = (db[0] ?? 0) & 0x7f;
  if (db.subarray(0, saltAt - 1).some((byte) => byte !== 0) || db[saltAt - 1] !== 1) return false;
  return createHash(hash.name).update(Buffer.alloc(8)).update(digest).update(db.subarray(saltAt)).digest().equals(h);
}

/** EMSA-PKCS1-v1_5 (RFC 8017, 9.2): the one encoding of this digest for a modulus of `bytes`. */
function pkcs1Encoding(digest: Uint8Array, hash: Hash, bytes: number): Buffer {
  const encoded = Buffer.alloc(bytes, 0xff);
  encoded.writeUInt16BE(0x0001, 0);
  const prefixAt = bytes - hash.bytes - hash.digestInfoPrefix.length;
  encoded[prefixAt - 1] = 0;
  hash.digestInfoPrefix.copy(encoded, prefixAt);
  encoded.set(digest, bytes - hash.bytes);
  return encoded;
}

/** Whether a signature is valid for exactly this digest. Throws for a number that is not below the modulus. */
export type RsaVerifier = (algorithm: SigningAlgorithmSpec, digest: Uint8Array, signature: Uint8Array) => boolean;

/** @param pssSaltLength the digest's length unless told otherwise, as KMS makes no other */
export function rsaVerifier(key: KeyObject, pssSaltLength?: number): RsaVerifier {
  const bytes = (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8;
  const publicOperation = { key, padding: constants.RSA_NO_PADDING };
  return (algorithm, digest, signature) => {
    const isPss = algorithm.startsWith("RSASSA_PSS");
    if (!isPss && !algorithm.startsWith("RSASSA_PKCS1")) return false;
    const hash = algorithm.endsWith("256") ? sha256 : algorithm.endsWith("384") ? sha384 : sha512;
    // OpenSSL takes leading zeros as it likes; a signature is exactly as long as the modulus.
    if (signature.length !== bytes || digest.length !== hash.bytes) return false;
    const encoded = publicDecrypt(publicOperation, signature);
    if (isPss) return isPssEncoding(encoded, digest, hash, pssSaltLength ?? hash.bytes);
    return encoded.equals(pkcs1Encoding(digest, hash, bytes));
  };
}
