/** What a seed file holds: keys that the emulator begins with. */

export interface SeedAlias {
  /** With its `alias/`. */
  readonly name: string;
  /** How long ago it was made. Default: as the key. */
  readonly ageDays?: number;
  /** How long ago it was last pointed at the key. Default: when it was made. */
  readonly updatedDaysAgo?: number;
}

export interface SeedKey {
  /** A UUID; `mrk-` and 32 hex digits for a multi-Region key. Default: one is made up. */
  readonly keyId?: string;
  /** Default: the emulator's. */
  readonly region?: string;
  /** Default: the emulator's. */
  readonly account?: string;
  /** Default: what the private key is; without one, SYMMETRIC_DEFAULT. */
  readonly keySpec?: string;
  /** Default: the first that AWS lists for the spec; SIGN_VERIFY for RSA and elliptic curves. */
  readonly keyUsage?: string;
  /** PEM (PKCS#8, PKCS#1 or SEC 1). Default: a new key. */
  readonly privateKey?: string;
  /** A file with the same; in a seed file relative to its folder. */
  readonly privateKeyFile?: string;
  /** Of symmetric and HMAC keys: the key itself, base64. */
  readonly secret?: string;
  readonly description?: string;
  /** Default Enabled. */
  readonly state?: "Enabled" | "Disabled" | "PendingDeletion";
  /** With PendingDeletion: days until the key is deleted. Default 30. */
  readonly pendingWindowInDays?: number;
  readonly ageDays?: number;
  readonly multiRegion?: boolean;
  /** Key policy, as a document or JSON text. Default: the account's default policy. */
  readonly policy?: string | object;
  readonly tags?: Readonly<Record<string, string>>;
  /** Names, or names with their ages. */
  readonly aliases?: readonly (string | SeedAlias)[];
}

export interface Seeds {
  readonly keys: readonly SeedKey[];
}
