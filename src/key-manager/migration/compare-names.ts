/**
 * How each key stands between its old name and its new one: pure, from what is found in KMS.
 *
 * A migration has no state of its own. What was done is read from the aliases, so that it can be stopped anywhere and
 * run again, also after keys were rotated under either name.
 */

import { KeyManagerError } from "../errors.ts";
import type { KeyNames } from "../names.ts";
import type { KeyState } from "../ports.ts";

/** A key as one of its two aliases shows it. */
export interface NamedKey {
  readonly aliasName: string;
  readonly addedAt: Date | undefined;
  /** When the alias was last pointed at a key, be it the same; by that other servers see that its server is running. */
  readonly refreshedAt: Date | undefined;
  readonly keyArn: string;
  readonly description: string;
  readonly keyState: KeyState;
  readonly createdAt: Date | undefined;
  /** Hex SHA-256 of the public key; undefined for a key that cannot be used. */
  readonly fingerprint: string | undefined;
  /** Why it cannot be used, and what to do about it. */
  readonly trouble: string | undefined;
}

/** The two naming schemes of a migration, with the words for each. */
export interface MigrationNames {
  readonly from: KeyNames;
  readonly to: KeyNames;
}

/** Something under one of the names that the migration does not touch. */
export interface LeftOut {
  readonly aliasName: string;
  readonly reason: string;
}

/** What is found in KMS: usable and unusable keys by SPIRE key id, under either name. */
export interface Survey {
  readonly from: ReadonlyMap<string, NamedKey>;
  readonly to: ReadonlyMap<string, NamedKey>;
  readonly leftOut: readonly LeftOut[];
  /** KMS's time. */
  readonly now: Date;
}

export type ComparedKey =
  /** Only the old alias is there. */
  | { readonly kind: "old"; readonly keyId: string; readonly from: NamedKey; readonly toAlias: string }
  /** Both aliases, on one key. */
  | { readonly kind: "both"; readonly keyId: string; readonly from: NamedKey; readonly to: NamedKey }
  /** The key was rotated under its old name since: the new alias is on the replaced key. */
  | { readonly kind: "rotated-old"; readonly keyId: string; readonly from: NamedKey; readonly to: NamedKey }
  /** The key was rotated under its new name since: the old alias is on the replaced key. */
  | { readonly kind: "rotated-new"; readonly keyId: string; readonly from: NamedKey; readonly to: NamedKey }
  /** Only the new alias is there: the old one is removed already, or the key was made under the new name. */
  | { readonly kind: "new"; readonly keyId: string; readonly to: NamedKey }
  /** The key behind the old alias cannot be used. */
  | { readonly kind: "unusable"; readonly keyId: string; readonly from: NamedKey; readonly to: NamedKey | undefined };

export interface Comparison {
  readonly comparedKeys: readonly ComparedKey[];
  /** Why nothing may be done, one sentence each, with what to do about it. */
  readonly conflicts: readonly string[];
}

const isPendingDeletion = ({ keyState }: NamedKey): boolean =>
  keyState === "PendingDeletion" || keyState === "PendingReplicaDeletion";

const isUsable = ({ fingerprint }: NamedKey): boolean => fingerprint !== undefined;

/** Whether `older` was replaced by `newer`: told by a description with the key id in it, as `kms` writes it, or by an alias that no server uses. */
function isPredecessor(older: NamedKey, newer: NamedKey, keyId: string, names: KeyNames): boolean {
  const isExact = names.descriptionFor(keyId) !== names.descriptionFor(`${keyId}-`);
  const isOlder = (older.createdAt?.getTime() ?? Number.NaN) < (newer.createdAt?.getTime() ?? Number.NaN);
  if (!isOlder || older.description !== newer.description || older.description !== names.descriptionFor(keyId))
    return false;
  // Otherwise it shows by the new alias: no server has pointed it anywhere since the migration added it.
  return isExact || isAsAdded(older);
}

/** KMS writes both dates of an alias at once; they stay equal until the alias is pointed again. */
const isAsAdded = ({ addedAt, refreshedAt }: NamedKey): boolean =>
  addedAt !== undefined && refreshedAt !== undefined && refreshedAt.getTime() <= addedAt.getTime();

/** @throws KeyManagerError when the new names cannot hold the key so that it is found again under its id */
function newAliasFor(keyId: string, { description, aliasName }: NamedKey, { to }: MigrationNames): string {
  const toAlias = to.aliasFor(keyId);
  if (to.isForeignDescription(description) || to.keyIdOf(toAlias, description) !== keyId) {
    throw new KeyManagerError(
      "FAILED_PRECONDITION",
      `the key behind ${aliasName} would not be taken for key ${JSON.stringify(keyId)} under ${toAlias}, because of its description ${JSON.stringify(description)}; change the description, or let the server rotate the key after the migration and leave this alias out by deleting it`,
    );
  }
  return toAlias;
}

function judgePair(keyId: string, from: NamedKey, to: NamedKey, names: MigrationNames): ComparedKey | string {
  if (from.keyArn === to.keyArn) return { kind: isUsable(from) ? "both" : "unusable", keyId, from, to };
  if (!isUsable(from)) return { kind: isUsable(to) ? "rotated-new" : "unusable", keyId, from, to };
  if (isPendingDeletion(to) || isPredecessor(to, from, keyId, names.from))
    return { kind: "rotated-old", keyId, from, to };
  if (isUsable(to)) {
    return `${to.aliasName} stands on another key (${to.keyArn}) than ${from.aliasName} (${from.keyArn}), and both can be used: if the key has just been rotated, wait until the replaced one is scheduled for deletion; if no server uses the new name, remove its alias (aws kms delete-alias --alias-name ${to.aliasName}) and apply again; otherwise another server has that name, give this one another id`;
  }
  return `${to.aliasName} stands on a key that cannot be used (${to.keyArn}): ${to.trouble}`;
}

/** New names under which keys stand although none of this server's was ever put there: another server has that id. */
function strangersConflict(comparedKeys: readonly ComparedKey[]): string | undefined {
  const isStrange = ({ kind }: ComparedKey) => kind === "old" || kind === "new" || kind === "unusable";
  if (!comparedKeys.every(isStrange) || !comparedKeys.some(({ kind }) => kind === "old")) return undefined;
  const strangers = comparedKeys.flatMap((comparedKey) =>
    comparedKey.kind === "new" ? [comparedKey.to.aliasName] : [],
  );
  if (strangers.length === 0) return undefined;
  return `the new names are in use by another server (${strangers.join(", ")}); give this server another id`;
}

/** Compares what stands under the old and the new names. */
export function compareNames({ from, to }: Survey, names: MigrationNames): Comparison {
  const comparedKeys: ComparedKey[] = [];
  const conflicts: string[] = [];
  const judge = (keyId: string): ComparedKey | string | undefined => {
    const [old, current] = [from.get(keyId), to.get(keyId)];
    if (old === undefined) return current && { kind: "new", keyId, to: current };
    if (current !== undefined) return judgePair(keyId, old, current, names);
    if (!isUsable(old)) return { kind: "unusable", keyId, from: old, to: undefined };
    try {
      return { kind: "old", keyId, from: old, toAlias: newAliasFor(keyId, old, names) };
    } catch (error) {
      if (error instanceof KeyManagerError) return error.message;
      throw error;
    }
  };
  for (const keyId of [...new Set([...from.keys(), ...to.keys()])].sort()) {
    const judged = judge(keyId);
    if (typeof judged === "string") conflicts.push(judged);
    else if (judged !== undefined) comparedKeys.push(judged);
  }
  const strangers = strangersConflict(comparedKeys);
  return { comparedKeys, conflicts: strangers === undefined ? conflicts : [...conflicts, strangers] };
}
