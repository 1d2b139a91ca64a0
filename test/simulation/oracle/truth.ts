/**
 * Which keys an id may answer with, by what SPIRE was promised and by what KMS has carried out.
 *
 * The last key that GenerateKey returned for the id; besides it a key whose alias was put in place after that, by a
 * generation whose caller was told of a failure, or of nothing.
 */
import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { publicKeyOf } from "../operator.ts";
import { type Call, operator, type SimulatedAccount, type Watcher } from "../simulated-account.ts";
import { aliasNameOf } from "./spelling.ts";

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

export class Truth implements Watcher {
  readonly #account: SimulatedAccount;
  readonly #aliasPrefix: string;
  readonly #claims = new Map<string, Claim[]>();
  readonly #keys = new Map<string, KnownKey>();
  /** Ids for which GenerateKey has succeeded. */
  readonly generated = new Map<string, string>();
  readonly createdKeys: string[] = [];
  readonly violations: string[] = [];

  /** Of the one server in the account. */
  constructor(account: SimulatedAccount, trustDomain: string, serverId: string) {
    this.#account = account;
    this.#aliasPrefix = aliasNameOf(trustDomain, serverId, "");
    account.watchers.add(this);
  }

  /** Takes a key to the books. */
  async learn(keyArn: string): Promise<void> {
    const { pkixData, fingerprint } = await publicKeyOf(this.#account, keyArn);
    this.#keys.set(fingerprint, { keyArn, pkixData });
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
    // KMS has lied about the public key: this cannot be told before something is signed with it.
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

  onEffect({ operation, input, caller }: Call, output: unknown): void {
    if (caller === operator) return;
    if (operation === "CreateKey") {
      const { Arn } = (output as { KeyMetadata: { Arn: string } }).KeyMetadata;
      this.createdKeys.push(Arn);
      // EC keys are there at once: nothing else happens in between.
      void this.learn(Arn);
    }
    const { AliasName, TargetKeyId, KeyId } = input as Readonly<Record<string, unknown>>;
    if ((operation === "CreateAlias" || operation === "UpdateAlias") && typeof AliasName === "string") {
      const prefix = this.#aliasPrefix;
      if (AliasName.startsWith(prefix)) this.#aliased(AliasName.slice(prefix.length), String(TargetKeyId));
    }
    for (const touched of [TargetKeyId, KeyId]) {
      const isWrite = /^(Create|Update|Delete|Schedule|Tag)/.test(operation);
      if (isWrite && this.#account.strangers.includes(String(touched))) {
        this.violation(`${operation} on a stranger's key ${String(touched)}`);
      }
    }
  }
}
