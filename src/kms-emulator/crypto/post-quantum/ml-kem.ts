/** ML-KEM (FIPS 203): a shared secret and its encapsulation. */
import { ml_kem512, ml_kem768, ml_kem1024 } from "@noble/post-quantum/ml-kem.js";
import type { MlKemSet } from "../key-spec.ts";
import type { Secrets } from "../secrets.ts";
import { seedPkcs8, spkiOf } from "./der.ts";

const schemes = { "512": ml_kem512, "768": ml_kem768, "1024": ml_kem1024 } as const;

/** id-alg-ml-kem-512 and its brothers (RFC 9935). */
const oids: Record<MlKemSet, string> = {
  "512": "608648016503040401",
  "768": "608648016503040402",
  "1024": "608648016503040403",
};

export function createMlKem(set: MlKemSet, seed: Uint8Array): Secrets {
  return { secret: seed, publicKey: spkiOf(oids[set], schemes[set].keygen(seed).publicKey) };
}

export function encapsulate(set: MlKemSet, seed: Uint8Array): { sharedSecret: Uint8Array; ciphertext: Uint8Array } {
  const { sharedSecret, cipherText } = schemes[set].encapsulate(schemes[set].keygen(seed).publicKey);
  return { sharedSecret, ciphertext: cipherText };
}

/** Undefined if the ciphertext has another length than the scheme's; else there is always some secret. */
export function decapsulate(set: MlKemSet, seed: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined {
  if (ciphertext.length !== schemes[set].lengths.cipherText) return undefined;
  return schemes[set].decapsulate(ciphertext, schemes[set].keygen(seed).secretKey);
}

export const mlKemPkcs8 = (set: MlKemSet, seed: Uint8Array): Uint8Array => seedPkcs8(oids[set], seed);
