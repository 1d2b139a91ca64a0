/**
 * Every key as KMS has it at each moment, kept from the calls that took effect, whoever made them: what stands on it, what
 * it says, when it was used, and since when all this is so.
 */
import type { Call } from "../simulated-account.ts";
import { bare, type Members } from "./books.ts";

export interface AliasFacts {
  /** KMS's time. */
  refreshedAtMs: number;
  /** Since when it stands there, in virtual time. */
  readonly since: number;
}

export interface KeyFacts {
  readonly keyId: string;
  readonly maker: unknown;
  readonly keySpec: string;
  readonly keyUsage: string;
  /** KMS's time. */
  readonly createdAtMs: number;
  description: string;
  describedSince: number;
  isPending: boolean;
  replicatedSince: number | undefined;
  /** Whether there was a time when it was disabled. */
  wasDisabled: boolean;
  /** What it has ever said. */
  readonly descriptions: Set<string>;
  readonly aliases: Map<string, AliasFacts>;
  readonly tags: Map<string, string>;
  /** When it last signed, in KMS's time and in virtual time. */
  signed: { readonly atMs: number; readonly at: number } | undefined;
}

interface MoreMembers extends Members {
  readonly Description?: string;
  readonly KeySpec?: string;
  readonly KeyUsage?: string;
  readonly TagKeys?: readonly string[];
}

export interface Moment {
  /** Virtual time. */
  readonly now: number;
  /** KMS's own. */
  readonly kmsNow: number;
}

export class Custody {
  readonly keys = new Map<string, KeyFacts>();
  readonly targets = new Map<string, string>();
  /** Where each alias has ever stood. */
  readonly stoodOn = new Map<string, Set<KeyFacts>>();

  /** What has come to be. */
  record({ operation, input, caller }: Call, output: unknown, moment: Moment): void {
    const given = input as MoreMembers;
    if (operation === "CreateKey") {
      const { KeyId } = (output as { KeyMetadata: { KeyId: string } }).KeyMetadata;
      this.#created(KeyId, given, caller, moment);
      return;
    }
    const aliasName = given.AliasName ?? "";
    if (operation === "CreateAlias" || operation === "UpdateAlias") {
      this.#pointed(aliasName, bare(given.TargetKeyId ?? ""), moment);
      this.#stands(aliasName);
      return;
    }
    if (operation === "DeleteAlias") {
      this.keys.get(this.targets.get(aliasName) ?? "")?.aliases.delete(aliasName);
      this.targets.delete(aliasName);
      return;
    }
    const key = this.find(given.KeyId);
    if (key !== undefined) change(key, operation, given, moment);
  }

  /** By id, ARN or alias. */
  find(name = ""): KeyFacts | undefined {
    return this.keys.get(name.startsWith("alias/") ? (this.targets.get(name) ?? "") : bare(name));
  }

  #created(keyId: string, given: MoreMembers, maker: unknown, { now, kmsNow }: Moment): void {
    this.keys.set(keyId, {
      keyId,
      maker,
      keySpec: given.KeySpec ?? "SYMMETRIC_DEFAULT",
      keyUsage: given.KeyUsage ?? "ENCRYPT_DECRYPT",
      createdAtMs: kmsNow,
      description: given.Description ?? "",
      describedSince: now,
      isPending: false,
      replicatedSince: undefined,
      wasDisabled: false,
      descriptions: new Set([given.Description ?? ""]),
      aliases: new Map(),
      tags: new Map((given.Tags ?? []).map(({ TagKey, TagValue }) => [TagKey, TagValue])),
      signed: undefined,
    });
  }

  #stands(aliasName: string): void {
    const key = this.find(aliasName);
    const before = this.stoodOn.get(aliasName) ?? new Set<KeyFacts>();
    if (key !== undefined) this.stoodOn.set(aliasName, before.add(key));
  }

  #pointed(aliasName: string, keyId: string, { now, kmsNow }: Moment): void {
    const before = this.keys.get(this.targets.get(aliasName) ?? "");
    const standing = before?.keyId === keyId ? before.aliases.get(aliasName) : undefined;
    if (standing !== undefined) {
      standing.refreshedAtMs = kmsNow;
      return;
    }
    before?.aliases.delete(aliasName);
    this.targets.set(aliasName, keyId);
    this.keys.get(keyId)?.aliases.set(aliasName, { refreshedAtMs: kmsNow, since: now });
  }
}

function change(key: KeyFacts, operation: string, given: MoreMembers, { now, kmsNow }: Moment): void {
  if (operation === "Sign") key.signed = { atMs: kmsNow, at: now };
  else if (operation === "ScheduleKeyDeletion") key.isPending = true;
  else if (operation === "DisableKey") key.wasDisabled = true;
  else if (operation === "CancelKeyDeletion") {
    // It comes back disabled.
    key.isPending = false;
    key.wasDisabled = true;
  } else if (operation === "ReplicateKey") key.replicatedSince ??= now;
  else if (operation === "UpdateKeyDescription") {
    key.description = given.Description ?? "";
    key.describedSince = now;
    key.descriptions.add(key.description);
  } else if (operation === "TagResource") {
    for (const { TagKey, TagValue } of given.Tags ?? []) key.tags.set(TagKey, TagValue);
  } else if (operation === "UntagResource") {
    for (const tag of given.TagKeys ?? []) key.tags.delete(tag);
  }
}
