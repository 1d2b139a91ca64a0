/** Signs and verifies with key material, whatever the algorithm. */
import { createHash, createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { signDigest, verifyDigest } from "./ecdsa.ts";
import { signEd25519phDigest, verifyEd25519phDigest } from "./ed25519ph.ts";
import type { KeyMaterial } from "./key-material.ts";
import { factsOf, type SigningAlgorithm, signingAlgorithms } from "./key-spec.ts";
import { signMlDsa, verifyMlDsa } from "./post-quantum/ml-dsa.ts";
import { signRsaDigest, verifyRsaDigest } from "./rsa.ts";

/** What is signed: the message itself, or a digest of it (already checked for length). */
export interface SigningInput {
  readonly bytes: Uint8Array;
  readonly isDigest: boolean;
}

type Facts = (typeof signingAlgorithms)[SigningAlgorithm];

function digestOf(input: SigningInput, facts: Facts): Uint8Array {
  return input.isDigest ? input.bytes : createHash(facts.hash).update(input.bytes).digest();
}

const unreachable = (material: KeyMaterial, algorithm: string): Error =>
  new Error(`${algorithm} was not refused for key spec ${material.spec}`);

/** The caller has checked that `algorithm` belongs to the key's spec and fits the message type. */
export function signMessage(material: KeyMaterial, algorithm: SigningAlgorithm, input: SigningInput): Uint8Array {
  const facts = signingAlgorithms[algorithm];
  const spec = factsOf(material.spec);
  switch (facts.scheme) {
    case "pss":
    case "pkcs1":
      return signRsaDigest(material, facts.scheme, facts.hash, digestOf(input, facts));
    case "ecdsa":
      if (spec.family !== "ec") throw unreachable(material, algorithm);
      return signDigest(spec.curve, material.secret, digestOf(input, facts));
    case "ed25519": {
      const key = createPrivateKey({ key: Buffer.from(material.secret), format: "der", type: "pkcs8" });
      return sign(null, input.bytes, key);
    }
    case "ed25519ph":
      return signEd25519phDigest(material, digestOf(input, facts));
    case "ml-dsa":
      if (spec.family !== "ml-dsa") throw unreachable(material, algorithm);
      return signMlDsa(spec.parameterSet, material.secret, input);
    case "unsupported":
      throw unreachable(material, algorithm);
  }
}

export function verifyMessage(
  material: KeyMaterial,
  algorithm: SigningAlgorithm,
  input: SigningInput,
  signature: Uint8Array,
): boolean {
  const facts = signingAlgorithms[algorithm];
  const spec = factsOf(material.spec);
  switch (facts.scheme) {
    case "pss":
    case "pkcs1":
      return verifyRsaDigest(material, facts.scheme, facts.hash, digestOf(input, facts), signature);
    case "ecdsa": {
      if (spec.family !== "ec") throw unreachable(material, algorithm);
      return verifyDigest(spec.curve, material.secret, digestOf(input, facts), signature);
    }
    case "ed25519": {
      const key = createPublicKey({ key: Buffer.from(material.publicKey), format: "der", type: "spki" });
      return verify(null, input.bytes, key, signature);
    }
    case "ed25519ph":
      return verifyEd25519phDigest(material, digestOf(input, facts), signature);
    case "ml-dsa":
      if (spec.family !== "ml-dsa") throw unreachable(material, algorithm);
      return verifyMlDsa(spec.parameterSet, material.publicKey, input, signature);
    case "unsupported":
      throw unreachable(material, algorithm);
  }
}
