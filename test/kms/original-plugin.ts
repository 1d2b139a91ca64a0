import { createHash } from "node:crypto";
import type { KmsView } from "../plugin/harness/kms-view.ts";

export interface OriginalKey {
  readonly keyId: string;
  readonly aliasName: string;
  readonly arn: string;
  /** Hex SHA-256 of the public key. */
  readonly fingerprint: string;
}

/** The state that the original `kms` plugin leaves in KMS: its calls, one for one. */
export class OriginalPlugin {
  readonly #kms: Pick<KmsView, "call">;
  readonly #keyPrefix: string;
  readonly #keys = new Map<string, OriginalKey>();

  constructor(kms: Pick<KmsView, "call">, keyPrefix = "SPIRE_SERVER_KEY/") {
    this.#kms = kms;
    this.#keyPrefix = keyPrefix;
  }

  /** Fingerprints of the keys in use, by SPIRE key id. */
  get fingerprints(): ReadonlyMap<string, string> {
    return new Map([...this.#keys].map(([keyId, { fingerprint }]) => [keyId, fingerprint]));
  }

  /** GenerateKey; on an id that has a key, a rotation. */
  async generate(keyId: string, keySpec = "ECC_NIST_P256"): Promise<OriginalKey> {
    const key = await this.#createKey(keyId, keySpec);
    const old = this.#keys.get(keyId);
    const operation = old === undefined ? "CreateAlias" : "UpdateAlias";
    await this.#kms.call(operation, { AliasName: key.aliasName, TargetKeyId: key.arn });
    if (old !== undefined) await this.#kms.call("ScheduleKeyDeletion", { KeyId: old.arn, PendingWindowInDays: 7 });
    this.#keys.set(keyId, key);
    return key;
  }

  /** GenerateKey whose alias step failed: the original left the key behind. */
  async leak(keyId: string): Promise<OriginalKey> {
    return this.#createKey(keyId, "ECC_NIST_P256");
  }

  async #createKey(keyId: string, keySpec: string): Promise<OriginalKey> {
    const { KeyMetadata } = await this.#kms.call<{ KeyMetadata: { Arn: string } }>("CreateKey", {
      Description: this.#keyPrefix + keyId,
      KeyUsage: "SIGN_VERIFY",
      CustomerMasterKeySpec: keySpec,
    });
    const arn = KeyMetadata.Arn;
    const { PublicKey } = await this.#kms.call<{ PublicKey: Uint8Array }>("GetPublicKey", { KeyId: arn });
    const fingerprint = createHash("sha256").update(PublicKey).digest("hex");
    return { keyId, aliasName: `alias/${this.#keyPrefix}${keyId}`, arn, fingerprint };
  }
}

/** An alias of another program, on a key of its own. */
export async function foreignAlias(
  kms: Pick<KmsView, "call">,
  aliasName: string,
  description = "not SPIRE's",
): Promise<string> {
  const { KeyMetadata } = await kms.call<{ KeyMetadata: { Arn: string } }>("CreateKey", {
    Description: description,
    KeyUsage: "SIGN_VERIFY",
    KeySpec: "ECC_NIST_P256",
  });
  await kms.call("CreateAlias", { AliasName: aliasName, TargetKeyId: KeyMetadata.Arn });
  return KeyMetadata.Arn;
}
