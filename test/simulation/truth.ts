/**
 * Which keys an id may answer with, by what SPIRE was promised and by what KMS has carried out.
 *
 * The last key that GenerateKey returned for the id; besides it a key whose alias was put in place after that, by a
 * generation whose caller was told of a failure, or of nothing.
 */
import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { type Account, fingerprintOf } from "./account.ts";

interface Claim {
  readonly keyArn: string;
  readonly from: number;
  until: number;
}

export interface KnownKey {
  readonly keyArn: string;
  readonly pkixData: Uint8Array;
  publicKey?: KeyObject;
}

const aliasPrefix = "alias/SPIRE_SERVER/example_org/server/";

export class Truth {
  readonly #account: Account;
  readonly #claims = new Map<string, Claim[]>();
  readonly #keys = new Map<string, KnownKey>();
  /** Ids for which GenerateKey has succeeded. */
  readonly generated = new Map<string, string>();
  readonly createdKeys: string[] = [];
  readonly violations: string[] = [];

  constructor(account: Account) {
    this.#account = account;
    account.onEffect = (operation, input, output) => this.#onEffect(operation, input, output);
  }

  /** Keys that are there before the server is. */
  async learn(keyArns: readonly string[]): Promise<void> {
    for (const keyArn of keyArns) {
      const pkixData = await this.#account.publicKey(keyArn);
      this.#keys.set(fingerprintOf(pkixData), { keyArn, pkixData });
    }
  }

  violation(text: string): void {
    this.violations.push(`${new Date(this.#now).toISOString()} ${text}`);
  }

  /** GenerateKey has returned. */
  hasGenerated(keyId: string, fingerprint: string): void {
    const key = this.#keys.get(fingerprint);
    if (key === undefined || this.#account.strangers.includes(key.keyArn)) return;
    const claims = this.#claims.get(keyId) ?? [];
    for (const claim of claims) if (claim.keyArn !== key.keyArn) claim.until = Math.min(claim.until, this.#now);
    this.#claim(keyId, key.keyArn);
    this.generated.set(keyId, key.keyArn);
  }

  /** Whether the id may answer with this key at some moment since then. */
  mayAnswer(keyId: string, fingerprint: string, since: number): boolean {
    const keyArn = this.#keys.get(fingerprint)?.keyArn;
    // Nothing was promised: in tag mode a key that a failed generation left may be found by its tags.
    if (!this.generated.has(keyId)) return true;
    // KMS has lied about the public key: nobody can tell before something is signed with it.
    if (keyArn !== undefined && this.#account.strangers.includes(keyArn)) return true;
    return (this.#claims.get(keyId) ?? []).some((claim) => claim.keyArn === keyArn && claim.until >= since);
  }

  /** What is known of a key by its fingerprint: from KMS itself, and not from what KMS has answered to the server. */
  key(fingerprint: string): KnownKey | undefined {
    return this.#keys.get(fingerprint);
  }

  verifies(fingerprint: string, message: Uint8Array, hash: string, signature: Uint8Array): boolean {
    const key = this.#keys.get(fingerprint);
    if (key === undefined) return false;
    key.publicKey ??= createPublicKey({ key: Buffer.from(key.pkixData), format: "der", type: "spki" });
    return verify(hash, message, key.publicKey, signature);
  }

  get #now(): number {
    return this.#account.time.now;
  }

  #claim(keyId: string, keyArn: string): void {
    const claims = this.#claims.get(keyId) ?? [];
    this.#claims.set(keyId, claims);
    const open = claims.find((claim) => claim.keyArn === keyArn && claim.until === Number.POSITIVE_INFINITY);
    if (open === undefined) claims.push({ keyArn, from: this.#now, until: Number.POSITIVE_INFINITY });
  }

  /** An alias that goes back to an older key gives that no right. */
  #aliased(keyId: string, keyArn: string): void {
    const last = this.createdKeys.indexOf(this.generated.get(keyId) ?? "");
    if (this.createdKeys.indexOf(keyArn) >= last) this.#claim(keyId, keyArn);
  }

  #onEffect(operation: string, input: Readonly<Record<string, unknown>>, output: unknown): void {
    if (operation === "CreateKey") {
      const { Arn } = (output as { KeyMetadata: { Arn: string } }).KeyMetadata;
      this.createdKeys.push(Arn);
      // EC keys are there at once: nothing else happens in between.
      void this.#account.publicKey(Arn).then((pkixData) => {
        this.#keys.set(fingerprintOf(pkixData), { keyArn: Arn, pkixData });
      });
    }
    const { AliasName, TargetKeyId, KeyId } = input;
    if ((operation === "CreateAlias" || operation === "UpdateAlias") && typeof AliasName === "string") {
      if (AliasName.startsWith(aliasPrefix)) this.#aliased(AliasName.slice(aliasPrefix.length), String(TargetKeyId));
    }
    for (const touched of [TargetKeyId, KeyId]) {
      const isWrite = /^(Create|Update|Delete|Schedule|Tag)/.test(operation);
      if (isWrite && this.#account.strangers.includes(String(touched))) {
        this.violation(`${operation} on a stranger's key ${String(touched)}`);
      }
    }
  }
}
