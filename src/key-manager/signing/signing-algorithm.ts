/**
 * From SPIRE's signer options to what KMS is asked.
 *
 * KMS signs with a P-256 key only under `ECDSA_SHA_256` and with a P-384 key only under `ECDSA_SHA_384`, and checks the
 * digest's length. ECDSA itself knows no such tie: it takes the leftmost bits of the digest up to the size of the group
 * order, as an integer (FIPS 186-5, 6.4.1; SEC 1, 4.1.3). So a longer digest may be truncated and a shorter one padded
 * with leading zeros, and the signature is valid for the digest that was asked for. RSA signatures carry the digest's
 * name inside, so there only what KMS offers can be had.
 */
import { KeyManagerError } from "../errors.ts";
import { curveBytesOf, type KeyType } from "../key-type.ts";
import type { SigningAlgorithmSpec } from "../ports.ts";

/** SPIRE's `HashAlgorithm` names, with the length of their digests in bytes. */
export const digestBytes = {
  SHA224: 28,
  SHA256: 32,
  SHA384: 48,
  SHA512: 64,
  SHA3_224: 28,
  SHA3_256: 32,
  SHA3_384: 48,
  SHA3_512: 64,
  SHA512_224: 28,
  SHA512_256: 32,
} as const;

export type HashAlgorithm = keyof typeof digestBytes;

export interface SignerOptions {
  readonly hashAlgorithm: HashAlgorithm;
  /** Present for RSASSA-PSS. Go's special values: 0 = automatic, -1 = the digest's length. */
  readonly pss?: { readonly saltLength: number };
}

export interface SigningPlan {
  readonly signingAlgorithm: SigningAlgorithmSpec;
  /** The digest as KMS wants it. */
  readonly digest: Uint8Array;
}

const ecdsaAlgorithm = { 32: "ECDSA_SHA_256", 48: "ECDSA_SHA_384" } as const;

const rsaSuffix: { readonly [hash in HashAlgorithm]?: "SHA_256" | "SHA_384" | "SHA_512" } = {
  SHA256: "SHA_256",
  SHA384: "SHA_384",
  SHA512: "SHA_512",
};

const invalid = (message: string) => new KeyManagerError("INVALID_ARGUMENT", message);

/** The leftmost `bytes` of the digest, or the digest with zeros before it: the same integer to ECDSA. */
function fitToCurve(digest: Uint8Array, bytes: number): Uint8Array {
  if (digest.length >= bytes) return digest.subarray(0, bytes);
  const padded = new Uint8Array(bytes);
  padded.set(digest, bytes - digest.length);
  return padded;
}

/**
 * Decides how KMS signs `digest` with a key of `keyType`.
 *
 * @throws KeyManagerError `InvalidArgument` for a digest that is not of its algorithm's length, and for what cannot be
 *   made at all: PSS with an EC key, RSA with a hash that KMS has no algorithm for, a PSS salt of another length than
 *   the digest's (KMS makes no other)
 */
export function planSignature(keyType: KeyType, digest: Uint8Array, options: SignerOptions): SigningPlan {
  const { hashAlgorithm, pss } = options;
  const expected = digestBytes[hashAlgorithm];
  if (digest.length !== expected) {
    throw invalid(`data must be a ${hashAlgorithm} digest of ${expected} bytes, not ${digest.length} bytes`);
  }
  const curveBytes = curveBytesOf(keyType);
  if (curveBytes !== undefined) {
    if (pss !== undefined) throw invalid(`PSS options do not go with a key of type ${keyType}`);
    return { signingAlgorithm: ecdsaAlgorithm[curveBytes], digest: fitToCurve(digest, curveBytes) };
  }
  const suffix = rsaSuffix[hashAlgorithm];
  if (suffix === undefined) {
    throw invalid(
      `unsupported combination of key type ${keyType} and hash algorithm ${hashAlgorithm}: KMS signs with RSA keys only SHA256, SHA384 and SHA512 digests`,
    );
  }
  if (pss === undefined) return { signingAlgorithm: `RSASSA_PKCS1_V1_5_${suffix}`, digest };
  if (![0, -1, expected].includes(pss.saltLength)) {
    throw invalid(
      `unsupported PSS salt length ${pss.saltLength}: KMS always uses the digest's length (${expected} for ${hashAlgorithm}; 0 and -1 mean the same here)`,
    );
  }
  return { signingAlgorithm: `RSASSA_PSS_${suffix}`, digest };
}
