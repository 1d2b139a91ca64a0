/** The key material of a seed: given, or made. */

import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { readMaterial } from "../crypto/imports/read-material.ts";
import type { KeyMaterial, KeyMaterialSource } from "../crypto/key-material.ts";
import { factsOf, isAsymmetric, type KeySpec, keySpecs } from "../crypto/key-spec.ts";
import { didYouMean } from "../errors.ts";
import type { Random } from "../random.ts";
import { bad } from "./read-seeds.ts";
import type { SeedKey } from "./seed-file.ts";

const ecSpecs: Readonly<Record<string, KeySpec>> = {
  prime256v1: "ECC_NIST_P256",
  secp384r1: "ECC_NIST_P384",
  secp521r1: "ECC_NIST_P521",
  secp256k1: "ECC_SECG_P256K1",
};

function specOfKey(key: KeyObject): KeySpec | undefined {
  const { namedCurve = "", modulusLength } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === "ec") return ecSpecs[namedCurve];
  if (key.asymmetricKeyType === "ed25519") return "ECC_NIST_EDWARDS25519";
  const name = `RSA_${modulusLength}`;
  return key.asymmetricKeyType === "rsa" && Object.hasOwn(keySpecs, name) ? (name as KeySpec) : undefined;
}

function requireSpec(name: string, where: string): KeySpec {
  if (!Object.hasOwn(keySpecs, name)) {
    throw bad(`${where}.keySpec`, `there is no ${name}${didYouMean(name, Object.keys(keySpecs))}`);
  }
  const spec = name as KeySpec;
  if (factsOf(spec).family === "unsupported")
    throw bad(`${where}.keySpec`, `the emulator has no cryptography for ${spec}`);
  return spec;
}

function pemOf(seed: SeedKey, where: string): string | undefined {
  if (seed.privateKeyFile === undefined) return seed.privateKey;
  if (seed.privateKey !== undefined) throw bad(where, "has a privateKey and a privateKeyFile; give one of them");
  try {
    return readFileSync(seed.privateKeyFile, "utf8");
  } catch (cause) {
    throw bad(`${where}.privateKeyFile`, `cannot be read: ${(cause as Error).message}`, cause);
  }
}

/** Nothing of the text, nor of the library's words about it, goes into the error: it may be the key. */
function parsePem(pem: string, where: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw bad(where, "is no private key in PEM form that is not encrypted");
  }
}

function fromPem(pem: string, seed: SeedKey, where: string): KeyMaterial | undefined {
  const at = `${where}.${seed.privateKeyFile === undefined ? "privateKey" : "privateKeyFile"}`;
  const key = parsePem(pem, at);
  const spec = seed.keySpec === undefined ? specOfKey(key) : requireSpec(seed.keySpec, where);
  if (spec === undefined) throw bad(at, "is a key of a kind or size that KMS does not have");
  const secrets = readMaterial(spec, key.export({ type: "pkcs8", format: "der" }));
  if (secrets === undefined) throw bad(at, `is not a key of spec ${spec}`);
  return { id: "", spec, ...secrets };
}

function fromSecret(secret: string, spec: KeySpec, where: string): KeyMaterial {
  const bytes = Buffer.from(secret, "base64");
  const isBase64 = bytes.toString("base64").replace(/=+$/, "") === secret.replace(/=+$/, "");
  const secrets = isBase64 && !isAsymmetric(spec) ? readMaterial(spec, bytes) : undefined;
  if (secrets !== undefined) return { id: "", spec, ...secrets };
  const fit = isAsymmetric(spec)
    ? `is not for ${spec}; give a privateKey`
    : `must be base64 of a key of the length that ${spec} has`;
  throw bad(`${where}.secret`, fit);
}

/** Waits for no other thread, unlike CreateKey: seeds are there before the first call. */
function made(spec: KeySpec, materials: KeyMaterialSource): KeyMaterial {
  const facts = factsOf(spec);
  if (facts.family === "rsa") {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: facts.modulusLength });
    const secrets = readMaterial(spec, privateKey.export({ type: "pkcs8", format: "der" }));
    if (secrets !== undefined) return { id: "", spec, ...secrets };
  }
  const material = materials.create(spec);
  if (material instanceof Promise) throw new Error(`material of ${spec} is not made at once`);
  return material;
}

/** Throws EmulatorError INVALID_SEEDS. */
export function materialOf(seed: SeedKey, where: string, random: Random, materials: KeyMaterialSource): KeyMaterial {
  const id = random.hex(32);
  const pem = pemOf(seed, where);
  if (pem !== undefined) {
    if (seed.secret !== undefined) throw bad(where, "has a private key and a secret; give one of them");
    const material = fromPem(pem, seed, where);
    if (material !== undefined) return { ...material, id };
  }
  const spec = requireSpec(seed.keySpec ?? "SYMMETRIC_DEFAULT", where);
  const material = seed.secret === undefined ? made(spec, materials) : fromSecret(seed.secret, spec, where);
  return { ...material, id };
}
