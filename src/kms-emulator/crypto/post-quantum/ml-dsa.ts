/** ML-DSA signatures (FIPS 204), over messages or over mu as the caller has computed it. */
import { ml_dsa44, ml_dsa65, ml_dsa87 } from "@noble/post-quantum/ml-dsa.js";
import type { MlDsaSet } from "../key-spec.ts";
import type { Secrets } from "../secrets.ts";
import { spkiOf } from "./der.ts";

const schemes = { "44": ml_dsa44, "65": ml_dsa65, "87": ml_dsa87 } as const;

/** id-ml-dsa-44 and its brothers (RFC 9881). */
const oids: Record<MlDsaSet, string> = {
  "44": "608648016503040311",
  "65": "608648016503040312",
  "87": "608648016503040313",
};

interface MlDsaInput {
  readonly bytes: Uint8Array;
  /** The bytes are mu. */
  readonly isDigest: boolean;
}

/** Making a key from its seed costs as much as a signature; only those in use are kept. */
const maxExpanded = 64;
const expanded = new Map<string, Uint8Array>();

function secretKeyOf(set: MlDsaSet, seed: Uint8Array): Uint8Array {
  const name = `${set}/${Buffer.from(seed).toString("base64")}`;
  const known = expanded.get(name);
  if (known) return known;
  const { secretKey } = schemes[set].keygen(seed);
  if (expanded.size >= maxExpanded) expanded.clear();
  expanded.set(name, secretKey);
  return secretKey;
}

const rawKeyOf = (set: MlDsaSet, spki: Uint8Array): Uint8Array =>
  spki.subarray(spki.length - (schemes[set].lengths.publicKey ?? 0));

export function createMlDsa(set: MlDsaSet, seed: Uint8Array): Secrets {
  return { secret: seed, publicKey: spkiOf(oids[set], schemes[set].keygen(seed).publicKey) };
}

export function signMlDsa(set: MlDsaSet, seed: Uint8Array, { bytes, isDigest }: MlDsaInput): Uint8Array {
  const secretKey = secretKeyOf(set, seed);
  const scheme = schemes[set];
  return isDigest ? scheme.internal.sign(bytes, secretKey, { externalMu: true }) : scheme.sign(bytes, secretKey);
}

export function verifyMlDsa(
  set: MlDsaSet,
  spki: Uint8Array,
  { bytes, isDigest }: MlDsaInput,
  signature: Uint8Array,
): boolean {
  const publicKey = rawKeyOf(set, spki);
  const scheme = schemes[set];
  try {
    if (isDigest) return scheme.internal.verify(signature, bytes, publicKey, { externalMu: true });
    return scheme.verify(signature, bytes, publicKey);
  } catch {
    return false; // a signature of another length
  }
}
