/** SPIRE's key types and the KMS key specs that hold them. */
import type { KeyObject } from "node:crypto";
import type { KeySpec } from "./ports.ts";

export type KeyType = "ec-p256" | "ec-p384" | "rsa-2048" | "rsa-4096";

interface KeyTypeFacts {
  readonly keySpec: KeySpec;
  /** EC only: size of the field and of the group order, in bytes (equal for the NIST prime curves). */
  readonly curveBytes?: 32 | 48;
  /** node:crypto's description of a public key of this type. */
  readonly matches: (key: KeyObject) => boolean;
}

const isCurve = (name: string) => (key: KeyObject) =>
  key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === name;
const isRsa = (bits: number) => (key: KeyObject) =>
  key.asymmetricKeyType === "rsa" && key.asymmetricKeyDetails?.modulusLength === bits;

const facts: Readonly<Record<KeyType, KeyTypeFacts>> = {
  "ec-p256": { keySpec: "ECC_NIST_P256", curveBytes: 32, matches: isCurve("prime256v1") },
  "ec-p384": { keySpec: "ECC_NIST_P384", curveBytes: 48, matches: isCurve("secp384r1") },
  "rsa-2048": { keySpec: "RSA_2048", matches: isRsa(2048) },
  "rsa-4096": { keySpec: "RSA_4096", matches: isRsa(4096) },
};

export const keyTypes = Object.keys(facts) as readonly KeyType[];

export function keySpecOf(keyType: KeyType): KeySpec {
  return facts[keyType].keySpec;
}

/** @returns the SPIRE key type of a KMS key spec, or undefined for one that SPIRE does not use */
export function keyTypeOf(keySpec: KeySpec): KeyType | undefined {
  return keyTypes.find((keyType) => facts[keyType].keySpec === keySpec);
}

/** Size of an EC key's group order in bytes, undefined for RSA. */
export function curveBytesOf(keyType: KeyType): 32 | 48 | undefined {
  return facts[keyType].curveBytes;
}

/** Whether a public key is of this type. */
export function isOfKeyType(key: KeyObject, keyType: KeyType): boolean {
  return facts[keyType].matches(key);
}
