/** What the store holds. Records are immutable; a change replaces the record. All times are epoch milliseconds. */
import type { StoredMaterial } from "../crypto/key-material.ts";
import type { KeySpec, KeyUsage } from "../crypto/key-spec.ts";
import { keyArn } from "../identifiers.ts";

export type KeyState = "Enabled" | "Disabled" | "PendingDeletion" | "PendingReplicaDeletion" | "Creating" | "Updating";

export interface Tag {
  readonly key: string;
  readonly value: string;
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
  readonly materialId: string;
  /** Absent: the default policy of the account. */
  readonly policy?: string;
  readonly tags: readonly Tag[];
  /** Once tagged, a key stays visible to Resource Groups Tagging, even with no tag left. */
  readonly wasTagged: boolean;
}

export const arnOf = (key: KeyRecord): string => keyArn(key.account, key.region, key.keyId);

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
  | { readonly kind: "put-session"; readonly session: SessionRecord };
