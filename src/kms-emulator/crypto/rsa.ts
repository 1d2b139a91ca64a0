/** RSA signatures over a digest that is already computed. */
import {
  constants,
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  privateEncrypt,
  publicDecrypt,
  randomBytes,
  timingSafeEqual,
} from "node:crypto";
import type { KeyMaterial } from "./key-material.ts";

/** RSA signatures over a digest: EMSA-PKCS1-v1_5 and EMSA-PSS of RFC 8017 around OpenSSL's raw RSA. */
export type RsaHash = "sha256" | "sha384" | "sha512";

/** DER of DigestInfo up to the digest: AlgorithmIdentifier with NULL parameters, then the OCTET STRING header. */
const digestInfoPrefix: Record<RsaHash, Buffer> = {
  sha256: Buffer.from("3031300d060960864801650304020105000420", "hex"),
  sha384: Buffer.from("3041300d060960864801650304020205000430", "hex"),
  sha512: Buffer.from("3051300d060960864801650304020305000440", "hex"),
};

/** Parsing PKCS#8 costs more than a signature; only the keys in use are kept parsed. */
const maxParsed = 512;

function keeping(parse: (material: KeyMaterial) => KeyObject): (material: KeyMaterial) => KeyObject {
  const parsed = new Map<string, KeyObject>();
  return (material) => {
    const known = parsed.get(material.id);
    if (known) return known;
    const key = parse(material);
    const [oldest] = parsed.keys();
    if (parsed.size >= maxParsed && oldest !== undefined) parsed.delete(oldest);
    parsed.set(material.id, key);
    return key;
  };
}

const privateKeyOf = keeping(({ secret }) =>
  createPrivateKey({ key: Buffer.from(secret), format: "der", type: "pkcs8" }),
);

const publicKeyOf = keeping(({ publicKey }) =>
  createPublicKey({ key: Buffer.from(publicKey), format: "der", type: "spki" }),
);

/** MGF1 (RFC 8017, B.2.1). */
function mask(seed: Uint8Array, length: number, hash: RsaHash): Buffer {
  const blocks: Buffer[] = [];
  for (let made = 0, counter = 0; made < length; counter += 1) {
    const index = Buffer.alloc(4);
    index.writeUInt32BE(counter);
    const block = createHash(hash).update(seed).update(index).digest();
    blocks.push(block);
    made += block.length;
  }
  return Buffer.concat(blocks).subarray(0, length);
}

/** M' of RFC 8017, 9.1: eight zero bytes, the digest, the salt; hashed. */
const saltedHash = (hash: RsaHash, digest: Uint8Array, salt: Uint8Array): Buffer =>
  createHash(hash).update(Buffer.alloc(8)).update(digest).update(salt).digest();

/** EMSA-PSS-ENCODE for a modulus of `bits` bits, which is a multiple of 8 for every KMS spec. */
function encodePss(digest: Uint8Array, hash: RsaHash, bits: number): Buffer {
  const salt = randomBytes(digest.length);
  const h = saltedHash(hash, digest, salt);
  const length = bits / 8;
  const block = Buffer.alloc(length - h.length - 1);
  block[block.length - salt.length - 1] = 0x01;
  salt.copy(block, block.length - salt.length);
  const dbMask = mask(h, block.length, hash);
  for (let index = 0; index < block.length; index += 1) block[index] = (block[index] ?? 0) ^ (dbMask[index] ?? 0);
  block[0] = (block[0] ?? 0) & 0x7f;
  return Buffer.concat([block, h, Buffer.from([0xbc])]);
}

/** EMSA-PSS-VERIFY with the salt length fixed to the digest's. */
function isPssEncoding(encoded: Buffer, digest: Uint8Array, hash: RsaHash): boolean {
  const h = encoded.subarray(encoded.length - digest.length - 1, -1);
  const block = Buffer.from(encoded.subarray(0, encoded.length - digest.length - 1));
  if (encoded[encoded.length - 1] !== 0xbc || ((block[0] ?? 0) & 0x80) !== 0) return false;
  const dbMask = mask(h, block.length, hash);
  for (let index = 0; index < block.length; index += 1) block[index] = (block[index] ?? 0) ^ (dbMask[index] ?? 0);
  block[0] = (block[0] ?? 0) & 0x7f;
  const saltStart = block.length - digest.length;
  const isPadded = block.subarray(0, saltStart - 1).every((byte) => byte === 0) && block[saltStart - 1] === 0x01;
  return isPadded && timingSafeEqual(h, saltedHash(hash, digest, block.subarray(saltStart)));
}

function modulusBits(key: KeyObject): number {
  return key.asymmetricKeyDetails?.modulusLength ?? 0;
}

export function signRsaDigest(
  material: KeyMaterial,
  scheme: "pss" | "pkcs1",
  hash: RsaHash,
  digest: Uint8Array,
): Uint8Array {
  const key = privateKeyOf(material);
  if (scheme === "pkcs1") {
    const info = Buffer.concat([digestInfoPrefix[hash], digest]);
    return privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, info);
  }
  return privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, encodePss(digest, hash, modulusBits(key)));
}

export function verifyRsaDigest(
  material: KeyMaterial,
  scheme: "pss" | "pkcs1",
  hash: RsaHash,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  const key = publicKeyOf(material);
  const isPkcs1 = scheme === "pkcs1";
  try {
    const padding = isPkcs1 ? constants.RSA_PKCS1_PADDING : constants.RSA_NO_PADDING;
    const opened = publicDecrypt({ key, padding }, signature);
    if (!isPkcs1) return isPssEncoding(opened, digest, hash);
    return opened.equals(Buffer.concat([digestInfoPrefix[hash], digest]));
  } catch {
    return false; // wrong length, out of range, wrong padding: all of them simply do not verify
  }
}
