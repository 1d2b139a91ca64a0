/** What the store holds. Records are immutable; a change replaces the record. All times are epoch milliseconds. */
import type { WrappingAlgorithm } from "../crypto/imports/unwrap.ts";
import type { StoredMaterial } from "../crypto/key-material.ts";
import type { KeySpec, KeyUsage } from "../crypto/key-spec.ts";
import { keyArn } from "../identifiers.ts";

export const dayMs = 24 * 60 * 60 * 1000;

export type KeyState =
  | "Enabled"
  | "Disabled"
  | "PendingDeletion"
  | "PendingReplicaDeletion"
  | "PendingImport"
  | "Creating"
  | "Updating";

export interface Tag {
  readonly key: string;
  readonly value: string;
}

/** One of the key materials of a key that was rotated, or that has imported material. */
export interface MaterialVersion {
  readonly id: string;
  /** False once imported material was deleted or has expired, until the same is imported again. */
  readonly isPresent: boolean;
  readonly state: "CURRENT" | "NON_CURRENT" | "PENDING_ROTATION" | "PENDING_MULTI_REGION_IMPORT_AND_ROTATION";
  /** When it became current by a rotation; absent for the first one. */
  readonly rotatedAtMs?: number;
  readonly rotationType?: "AUTOMATIC" | "ON_DEMAND";
  readonly description?: string;
  /** When imported material expires; absent: never. */
  readonly validToMs?: number;
}

/** Automatic rotation, where it is on. */
export interface RotationSchedule {
  readonly periodInDays: number;
  readonly nextAtMs: number;
}

export interface KeyRecord {
  readonly account: string;
  readonly region: string;
  readonly keyId: string;
  readonly createdAtMs: number;
  readonly description: string;
  readonly spec: KeySpec;
  readonly usage: KeyUsage;
  /** AWS: made by an AWS service for `alias/aws/...`; cannot be managed by the account. */
  readonly keyManager: "CUSTOMER" | "AWS";
  readonly state: KeyState;
  /** When the state ends by itself: deletion is due, or Creating/Updating becomes Enabled. */
  readonly dueAtMs?: number;
  /** The window given to ScheduleKeyDeletion, kept while the key is pending (replica) deletion. */
  readonly pendingWindowInDays?: number;
  readonly isMultiRegion: boolean;
  /** Absent: made by KMS. */
  readonly origin?: "EXTERNAL";
  /** The current key material; empty until the first is imported. */
  readonly materialId: string;
  /** All key materials, the oldest first. Absent: only the current one, made with the key. */
  readonly versions?: readonly MaterialVersion[];
  readonly rotation?: RotationSchedule;
  /** Absent: the default policy of the account. */
  readonly policy?: string;
  readonly tags: readonly Tag[];
  /** Once tagged, a key stays visible to Resource Groups Tagging, even with no tag left. */
  readonly wasTagged: boolean;
}

export const arnOf = (key: KeyRecord): string => keyArn(key.account, key.region, key.keyId);

const noVersions: readonly MaterialVersion[] = [];

export function versionsOf(key: KeyRecord): readonly MaterialVersion[] {
  if (key.versions) return key.versions;
  return key.materialId === "" ? noVersions : [{ id: key.materialId, isPresent: true, state: "CURRENT" }];
}

/** True for a key with imported material of which some is not there; what waits for a rotation does not count. */
export const isWaitingForMaterial = (key: KeyRecord): boolean =>
  key.origin === "EXTERNAL" &&
  (key.materialId === "" || versionsOf(key).some(({ isPresent, state }) => !isPresent && !state.startsWith("PENDING")));

/** The moments at which the key changes by itself. */
export function dueMomentsOf(key: KeyRecord): readonly number[] {
  const moments = key.dueAtMs === undefined ? [] : [key.dueAtMs];
  if (key.rotation) moments.push(key.rotation.nextAtMs);
  for (const { isPresent, validToMs } of key.versions ?? noVersions) {
    if (isPresent && validToMs !== undefined) moments.push(validToMs);
  }
  return moments;
}

export interface AliasRecord {
  readonly account: string;
  readonly region: string;
  /** With the `alias/` prefix. */
  readonly name: string;
  readonly keyId: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** The Regions of a multi-Region key. The members are found by account, key id and Region. */
export interface MultiRegionSet {
  readonly account: string;
  readonly keyId: string;
  readonly primaryRegion: string;
  readonly replicaRegions: readonly string[];
}

/** What a grant holds a request's encryption context against. */
export interface GrantConstraints {
  readonly EncryptionContextSubset?: Readonly<Record<string, string>>;
  readonly EncryptionContextEquals?: Readonly<Record<string, string>>;
  readonly SourceArn?: string;
}

/** A grant on a key. `account`, `region` and `keyId` are the key's. */
export interface GrantRecord {
  readonly account: string;
  readonly region: string;
  readonly keyId: string;
  readonly grantId: string;
  readonly createdAtMs: number;
  readonly issuingAccount: string;
  readonly operations: readonly string[];
  readonly name?: string;
  readonly granteePrincipal?: string;
  readonly granteeServicePrincipal?: string;
  readonly retiringPrincipal?: string;
  readonly retiringServicePrincipal?: string;
  readonly constraints?: GrantConstraints;
}

/** What GetParametersForImport has handed out: the private half of a wrapping key, for one key. */
export interface ImportTokenRecord {
  readonly tokenId: string;
  readonly account: string;
  readonly region: string;
  readonly keyId: string;
  readonly algorithm: WrappingAlgorithm;
  /** PKCS#8 in base64. */
  readonly wrappingKey: string;
  readonly validToMs: number;
}

/** Credentials handed out by STS. */
export interface SessionRecord {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiresAtMs: number;
  /** `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION` */
  readonly arn: string;
  readonly userId: string;
  readonly roleArn: string;
  /** Session policies, as JSON text: they can only take away. */
  readonly policies: readonly string[];
  readonly tags: readonly Tag[];
}

/** A change of state. One operation commits all of its changes at once, or none. */
export type Mutation =
  | { readonly kind: "put-material"; readonly material: StoredMaterial }
  | { readonly kind: "put-key"; readonly key: KeyRecord }
  | { readonly kind: "delete-key"; readonly account: string; readonly region: string; readonly keyId: string }
  | { readonly kind: "put-alias"; readonly alias: AliasRecord }
  | { readonly kind: "delete-alias"; readonly account: string; readonly region: string; readonly name: string }
  | { readonly kind: "put-set"; readonly set: MultiRegionSet }
  | { readonly kind: "delete-set"; readonly account: string; readonly keyId: string }
  | { readonly kind: "put-grant"; readonly grant: GrantRecord }
  | { readonly kind: "delete-grant"; readonly account: string; readonly region: string; readonly grantId: string }
  | { readonly kind: "put-import-token"; readonly token: ImportTokenRecord }
  | { readonly kind: "put-session"; readonly session: SessionRecord };
