/**
 * When each key was last used, for GetKeyLastUsage. In memory only: a write to the data file for each signature would be
 * dear, and AWS, too, tells of nothing before its tracking began.
 */
import type { KeyRecord } from "./records.ts";

/** The cryptographic operations that count as a use. */
export type TrackedOperation =
  | "Decapsulate"
  | "Decrypt"
  | "DeriveSharedSecret"
  | "Encapsulate"
  | "Encrypt"
  | "GenerateDataKey"
  | "GenerateDataKeyPair"
  | "GenerateDataKeyPairWithoutPlaintext"
  | "GenerateDataKeyWithoutPlaintext"
  | "GenerateMac"
  | "ReEncrypt"
  | "Sign"
  | "Verify"
  | "VerifyMac";

/** One successful use of a key. */
export interface KeyUse {
  readonly operation: TrackedOperation;
  readonly atMs: number;
  readonly eventId: string;
  readonly requestId: string;
}

type KeyPlace = Pick<KeyRecord, "account" | "region" | "keyId">;

const nameOf = ({ account, region, keyId }: KeyPlace): string => `${account}/${region}/${keyId}`;

/** The last successful use of every key, each member of a multi-Region set by itself. */
export class LastUsage {
  readonly #uses = new Map<string, KeyUse>();
  #startMs = 0;

  /** Forgets all uses; from now on they are tracked. */
  begin(atMs: number): void {
    this.#uses.clear();
    this.#startMs = atMs;
  }

  note(key: KeyPlace, use: KeyUse): void {
    this.#uses.set(nameOf(key), use);
  }

  /** Undefined: not used since tracking began. */
  of(key: KeyPlace): KeyUse | undefined {
    return this.#uses.get(nameOf(key));
  }

  forget(key: KeyPlace): void {
    this.#uses.delete(nameOf(key));
  }

  /** Since when uses of this key are tracked: never before the key was there. */
  startMs(key: KeyRecord): number {
    return Math.max(this.#startMs, key.createdAtMs);
  }
}
