/**
 * Books of keys, aliases and tags, kept from the calls that took effect and from what KMS itself answers, so that no
 * judgement rests on what a key manager believes. Of a server only this is asked: which public keys it holds for which id.
 */
import { fingerprintOf } from "../operator.ts";
import { type Call, operator, type SimulatedAccount } from "../simulated-account.ts";
import type { SimulatedServer } from "../simulated-server.ts";
import { aliasNameOf } from "./spelling.ts";
import { type UpkeepRules, upkeepRulesOf } from "./upkeep-rules.ts";

export interface KeyBook {
  readonly keyId: string;
  readonly trustDomain: string | undefined;
  readonly createdAt: number;
  readonly tags: Map<string, string>;
  isPending: boolean;
  /** When it was last seen in use, or lost its alias. */
  lastUsedAt: number;
}

export interface AliasBook {
  readonly identity: string | undefined;
  keyId: string;
  updatedAt: number;
  /** Former targets, and when it was moved off them. */
  readonly before: Map<string, number>;
}

export interface LiveServer {
  readonly server: SimulatedServer;
  readonly rules: UpkeepRules;
  readonly since: number;
  /** The last time a fault hit it. */
  troubledAt: number;
  /** Since when what it holds for an alias differs from where the alias stands. */
  readonly divergedSince: Map<string, number>;
}

/** A key that a server holds for an id, and the alias of that id. */
export interface Use {
  readonly keyId: string;
  readonly aliasName: string;
}

/** The members of inputs and outputs that matter here. */
export interface Members {
  readonly KeyId?: string;
  readonly TargetKeyId?: string;
  readonly AliasName?: string;
  readonly Tags?: readonly { readonly TagKey: string; readonly TagValue: string }[];
}

export const bare = (keyId: string): string => keyId.slice(keyId.lastIndexOf("/") + 1);

/** The server that made a call, if one did. */
export const serverBehind = (caller: unknown): SimulatedServer | undefined =>
  caller === operator ? undefined : (caller as SimulatedServer);

export class Books {
  readonly account: SimulatedAccount;
  readonly keys = new Map<string, KeyBook>();
  readonly aliases = new Map<string, AliasBook>();
  readonly live = new Map<SimulatedServer, LiveServer>();
  readonly violations: string[] = [];
  /** By fingerprint. */
  readonly #keyIds = new Map<string, string>();
  readonly #fingerprinted = new Set<string>();

  constructor(account: SimulatedAccount) {
    this.account = account;
  }

  get now(): number {
    return this.account.time.now;
  }

  violation(text: string): void {
    this.violations.push(`${new Date(this.now).toISOString()} ${text}`);
  }

  /** A server is configured. */
  isUp(server: SimulatedServer): void {
    const rules = upkeepRulesOf(server.settings ?? {});
    this.live.set(server, { server, rules, since: this.now, troubledAt: this.now, divergedSince: new Map() });
  }

  isDown(server: SimulatedServer): void {
    const live = this.live.get(server);
    for (const { keyId } of live === undefined ? [] : this.#held(server)) this.used(keyId);
    this.live.delete(server);
  }

  used(keyId: string): void {
    const key = this.keys.get(keyId);
    if (key !== undefined) key.lastUsedAt = this.now;
  }

  usesOf({ server }: LiveServer): readonly Use[] {
    return server.isConfigured ? this.#held(server) : [];
  }

  /** In use: held by a live server, or behind an alias for which a live server holds a key. */
  isInUse(keyId: string): boolean {
    for (const live of this.live.values()) {
      for (const use of this.usesOf(live)) {
        if (use.keyId === keyId || this.aliases.get(use.aliasName)?.keyId === keyId) return true;
      }
    }
    return false;
  }

  isAliasInUse(aliasName: string): boolean {
    const identity = this.aliases.get(aliasName)?.identity;
    return [...this.live.values()].some(
      (live) => live.server.identity === identity && this.usesOf(live).some((use) => use.aliasName === aliasName),
    );
  }

  /** What has come to be, whoever did it. */
  record({ operation, input, caller }: Call, output: unknown): void {
    const { TargetKeyId = "", AliasName = "", Tags = [], KeyId = "" } = input as Members;
    if (operation === "CreateKey") {
      const { KeyId: keyId } = (output as { KeyMetadata: { KeyId: string } }).KeyMetadata;
      const tags = new Map(Tags.map(({ TagKey, TagValue }) => [TagKey, TagValue]));
      const trustDomain = serverBehind(caller)?.options.trustDomain;
      const at = this.now;
      this.keys.set(keyId, { keyId, trustDomain, createdAt: at, tags, isPending: false, lastUsedAt: at });
    } else if (operation === "GetPublicKey") {
      this.#learn(output as { readonly KeyId: string; readonly PublicKey: Uint8Array });
    } else if (operation === "CreateAlias") {
      const identity = serverBehind(caller)?.identity;
      this.aliases.set(AliasName, { identity, keyId: bare(TargetKeyId), updatedAt: this.now, before: new Map() });
    } else if (operation === "DeleteAlias") {
      this.used(this.aliases.get(AliasName)?.keyId ?? "");
      this.aliases.delete(AliasName);
    } else if (operation === "TagResource") {
      for (const { TagKey, TagValue } of Tags) this.keys.get(bare(KeyId))?.tags.set(TagKey, TagValue);
    }
  }

  /** From KMS's own answer, whatever becomes of it on its way. */
  #learn({ KeyId, PublicKey }: { readonly KeyId: string; readonly PublicKey: Uint8Array }): void {
    const keyId = bare(KeyId);
    if (this.#fingerprinted.has(keyId)) return;
    this.#fingerprinted.add(keyId);
    this.#keyIds.set(fingerprintOf(PublicKey), keyId);
  }

  #held(server: SimulatedServer): readonly Use[] {
    const { trustDomain, serverId } = server.options;
    return [...server.entries.values()].map(({ keyId: id, fingerprint }) => {
      const keyId = this.#keyIds.get(fingerprint);
      if (keyId === undefined) this.violation(`${server.identity} holds a public key for ${id} that KMS has not made`);
      return { keyId: keyId ?? fingerprint, aliasName: aliasNameOf(trustDomain, serverId, id) };
    });
  }
}
