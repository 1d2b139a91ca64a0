/**
 * Ciphertexts of symmetric keys: opaque and authenticated, and bound to the encryption context. A header names the key
 * material, from which Decrypt finds the key without being told, as on AWS.
 */
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from "node:crypto";

export type EncryptionContext = Readonly<Record<string, string>>;

/** As the ciphertexts of AWS begin. */
const magic = Buffer.from([0x01, 0x02, 0x02, 0x00, 0x78]);
const idBytes = 32;
const saltBytes = 16;
const nonceBytes = 12;
const tagBytes = 16;
const checkBytes = 8;
const headBytes = magic.length + idBytes;

/** The pairs in order of name, each with its lengths, so that no two contexts have the same bytes. */
function contextBytes(context: EncryptionContext): Buffer {
  const pairs = Object.entries(context).sort(([left], [right]) => (left < right ? -1 : 1));
  return Buffer.from(JSON.stringify(pairs));
}

const keyOf = (secret: Uint8Array, salt: Uint8Array): Buffer =>
  Buffer.from(hkdfSync("sha256", secret, salt, "emulated KMS ciphertext", 32));

/** Tells a damaged ciphertext from one of a key that is not there. */
const checkOf = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest().subarray(0, checkBytes);

/** `materialId`: 64 hex digits. */
export function seal(
  materialId: string,
  secret: Uint8Array,
  plaintext: Uint8Array,
  context: EncryptionContext,
): Uint8Array {
  const head = Buffer.concat([magic, Buffer.from(materialId, "hex")]);
  const salt = randomBytes(saltBytes);
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", keyOf(secret, salt), nonce);
  cipher.setAAD(Buffer.concat([head, contextBytes(context)]));
  const sealed = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  const body = Buffer.concat([head, salt, nonce, sealed, cipher.getAuthTag()]);
  return Buffer.concat([body, checkOf(body)]);
}

/** The id of the key material that made the ciphertext; undefined if it is none of ours. */
export function materialIdOf(ciphertext: Uint8Array): string | undefined {
  if (ciphertext.length < headBytes + saltBytes + nonceBytes + tagBytes + checkBytes) return undefined;
  const body = ciphertext.subarray(0, -checkBytes);
  if (!checkOf(body).equals(ciphertext.subarray(body.length))) return undefined;
  if (!magic.equals(ciphertext.subarray(0, magic.length))) return undefined;
  return Buffer.from(ciphertext.subarray(magic.length, headBytes)).toString("hex");
}

/** Undefined if the ciphertext was changed, is another key's, or belongs to another context. */
export function open(secret: Uint8Array, ciphertext: Uint8Array, context: EncryptionContext): Uint8Array | undefined {
  const salt = ciphertext.subarray(headBytes, headBytes + saltBytes);
  const sealedAt = headBytes + saltBytes + nonceBytes;
  const nonce = ciphertext.subarray(headBytes + saltBytes, sealedAt);
  const body = ciphertext.subarray(0, -checkBytes);
  try {
    const decipher = createDecipheriv("aes-256-gcm", keyOf(secret, salt), nonce);
    decipher.setAAD(Buffer.concat([ciphertext.subarray(0, headBytes), contextBytes(context)]));
    decipher.setAuthTag(body.subarray(-tagBytes));
    return Buffer.concat([decipher.update(body.subarray(sealedAt, -tagBytes)), decipher.final()]);
  } catch {
    return undefined;
  }
}
