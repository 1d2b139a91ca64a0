/** Reading a public key as KMS answers it: one SubjectPublicKeyInfo in DER, and not a byte besides. */
import { createPublicKey, type KeyObject } from "node:crypto";

/** The key, and the one encoding of it that Go's `x509.MarshalPKIXPublicKey` would write: by way of its numbers alone. */
function parse(pkixData: Uint8Array): { key: KeyObject; canonical: Buffer } {
  try {
    const key = createPublicKey({ key: Buffer.from(pkixData), format: "der", type: "spki" });
    const same = createPublicKey({ key: key.export({ format: "jwk" }), format: "jwk" });
    return { key, canonical: same.export({ type: "spki", format: "der" }) };
  } catch (cause) {
    throw new Error("it is no SubjectPublicKeyInfo", { cause });
  }
}

/**
 * @throws Error for anything but the DER of one SubjectPublicKeyInfo. OpenSSL ignores what follows it and takes encodings
 *   that Go's `x509.ParsePKIXPublicKey`, and with it SPIRE, refuses; the fingerprint would be that of all the bytes.
 */
export function readPublicKey(pkixData: Uint8Array): KeyObject {
  const { key, canonical } = parse(pkixData);
  if (canonical.equals(pkixData)) return key;
  const tail = pkixData.length - canonical.length;
  const isFollowed = tail > 0 && canonical.equals(pkixData.subarray(0, canonical.length));
  throw new Error(isFollowed ? `${tail} bytes follow it that are no part of it` : "it is not in canonical DER");
}
