/** A key that this server uses, and the map of all of them. */

import { createHash } from "node:crypto";
import { KeyManagerError } from "../errors.ts";
import type { KeyType } from "../key-type.ts";
import type { MultiRegionMetadata } from "../ports.ts";
import { type SignatureVerifier, signatureVerifier } from "../signing/signature-verifier.ts";
import { requirePublicKeyOfType } from "./public-key-of-type.ts";

export interface PublicKey {
  /** SPIRE key id, e.g. `x509-CA-A`. */
  readonly keyId: string;
  readonly keyType: KeyType;
  /** SubjectPublicKeyInfo, DER. */
  readonly pkixData: Uint8Array;
  /** Hex SHA-256 of `pkixData`, as SPIRE's built-in plugin has it. */
  readonly fingerprint: string;
}

export interface KeyEntry extends PublicKey {
  readonly keyArn: string;
  readonly aliasName: string;
  /** Of a multi-Region key, as KMS showed it when the key was found; replicas come and go later. */
  readonly multiRegion?: MultiRegionMetadata | undefined;
  /** Checks a signature against this key. */
  readonly verify: SignatureVerifier;
}

/** Entries by SPIRE key id. Replaced as a whole, never changed in place, so that a reader sees one state or the next. */
export type KeyEntries = ReadonlyMap<string, KeyEntry>;

export interface KeyEntryFacts {
  readonly keyId: string;
  readonly keyType: KeyType;
  readonly keyArn: string;
  readonly aliasName: string;
  readonly pkixData: Uint8Array;
  readonly multiRegion?: MultiRegionMetadata | undefined;
}

/** @throws KeyManagerError `Internal` when the public key is not of the key type */
export function createKeyEntry(facts: KeyEntryFacts): KeyEntry {
  if (facts.pkixData.length === 0) {
    throw new KeyManagerError("INTERNAL", `KMS answered without a public key for ${facts.keyArn}`);
  }
  const key = requirePublicKeyOfType(facts.pkixData, facts.keyType, facts.keyArn);
  return {
    ...facts,
    fingerprint: createHash("sha256").update(facts.pkixData).digest("hex"),
    verify: signatureVerifier(key),
  };
}

export function withEntry(entries: KeyEntries, entry: KeyEntry): KeyEntries {
  return new Map(entries).set(entry.keyId, entry);
}
