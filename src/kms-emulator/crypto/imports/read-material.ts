/** Reads the plaintext of imported key material: is it a key of this spec? */
import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { ecSecrets } from "../key-material.ts";
import { type EcCurve, factsOf, type KeySpec } from "../key-spec.ts";
import { createMlDsa } from "../post-quantum/ml-dsa.ts";
import { createMlKem } from "../post-quantum/ml-kem.ts";
import type { Secrets } from "../secrets.ts";

/** How long an HMAC key may be, in bytes: at least the hash, at most its block. */
const hmacRange: Partial<Record<KeySpec, readonly [number, number]>> = {
  HMAC_224: [28, 64],
  HMAC_256: [32, 64],
  HMAC_384: [48, 128],
  HMAC_512: [64, 128],
};

const noPublicKey = Buffer.alloc(0);

function rawSecret(bytes: Uint8Array, min: number, max: number): Secrets | undefined {
  if (bytes.length < min || bytes.length > max) return undefined;
  return { secret: bytes, publicKey: noPublicKey };
}

const publicKeyOf = (key: KeyObject): Buffer => createPublicKey(key).export({ type: "spki", format: "der" });
const pkcs8Of = (key: KeyObject): Buffer => key.export({ type: "pkcs8", format: "der" });

function ecFrom(key: KeyObject, curve: EcCurve): Secrets | undefined {
  if (key.asymmetricKeyType !== "ec" || key.asymmetricKeyDetails?.namedCurve !== curve) return undefined;
  const { d = "" } = key.export({ format: "jwk" });
  return ecSecrets(curve, Buffer.from(d, "base64url"));
}

/** The seed of a PKCS#8 key that has one by itself: `[0] seed` is all of its private key (RFC 9881, 6). */
function seedIn(pkcs8: Uint8Array, length: number): Uint8Array | undefined {
  const at = pkcs8.length - length;
  return at >= 2 && pkcs8[at - 2] === 0x80 && pkcs8[at - 1] === length ? pkcs8.subarray(at) : undefined;
}

/** Undefined if the bytes are no key of this spec: raw bytes for symmetric and HMAC keys, PKCS#8 in DER for all others. */
export function readMaterial(spec: KeySpec, bytes: Uint8Array): Secrets | undefined {
  const facts = factsOf(spec);
  try {
    switch (facts.family) {
      case "symmetric":
        return rawSecret(bytes, 32, 32);
      case "hmac":
        return rawSecret(bytes, ...(hmacRange[spec] ?? [0, 0]));
      case "ml-dsa": {
        const seed = seedIn(bytes, 32);
        return seed && createMlDsa(facts.parameterSet, seed);
      }
      case "ml-kem": {
        const seed = seedIn(bytes, 64);
        return seed && createMlKem(facts.parameterSet, seed);
      }
    }
    const key = createPrivateKey({ key: Buffer.from(bytes), format: "der", type: "pkcs8" });
    if (facts.family === "ec") return ecFrom(key, facts.curve);
    if (facts.family === "ed25519" && key.asymmetricKeyType !== "ed25519") return undefined;
    if (facts.family === "rsa" && key.asymmetricKeyDetails?.modulusLength !== facts.modulusLength) return undefined;
    return { secret: pkcs8Of(key), publicKey: publicKeyOf(key) };
  } catch {
    return undefined;
  }
}
