/** The private half of a key pair as PKCS#8 in DER, as a data key pair shows it. */
import { createPrivateKey } from "node:crypto";
import type { KeyMaterial } from "./key-material.ts";
import { type EcCurve, factsOf } from "./key-spec.ts";
import { mlKemPkcs8 } from "./post-quantum/ml-kem.ts";

const jwkCurves: Record<EcCurve, string> = {
  prime256v1: "P-256",
  secp384r1: "P-384",
  secp521r1: "P-521",
  secp256k1: "secp256k1",
};

function ecPkcs8({ secret, publicKey }: KeyMaterial, curve: EcCurve): Uint8Array {
  const point = publicKey.subarray(publicKey.length - 2 * secret.length);
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");
  const [x, y] = [text(point.subarray(0, secret.length)), text(point.subarray(secret.length))];
  const key = createPrivateKey({ key: { kty: "EC", crv: jwkCurves[curve], d: text(secret), x, y }, format: "jwk" });
  return key.export({ type: "pkcs8", format: "der" });
}

export function privateKeyDer(material: KeyMaterial): Uint8Array {
  const facts = factsOf(material.spec);
  if (facts.family === "ec") return ecPkcs8(material, facts.curve);
  if (facts.family === "ml-kem") return mlKemPkcs8(facts.parameterSet, material.secret);
  return material.secret;
}
