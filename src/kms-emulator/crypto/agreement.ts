/** ECDH: the secret that two parties share. */
import { createECDH, createPublicKey } from "node:crypto";
import type { EcCurve } from "./key-spec.ts";

/** The uncompressed point of a SubjectPublicKeyInfo, if it is a public key on this curve. */
function pointOf(curve: EcCurve, spki: Uint8Array): Buffer | undefined {
  try {
    const key = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
    if (key.asymmetricKeyType !== "ec" || key.asymmetricKeyDetails?.namedCurve !== curve) return undefined;
    const { x = "", y = "" } = key.export({ format: "jwk" });
    return Buffer.concat([Buffer.from([4]), Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]);
  } catch {
    return undefined;
  }
}

/** Undefined if `peerSpki` is no public key on the curve. */
export function sharedSecretOf(curve: EcCurve, scalar: Uint8Array, peerSpki: Uint8Array): Uint8Array | undefined {
  const point = pointOf(curve, peerSpki);
  if (!point) return undefined;
  const own = createECDH(curve);
  own.setPrivateKey(scalar);
  try {
    return own.computeSecret(point);
  } catch {
    return undefined; // not on the curve
  }
}
