/**
 * What must hold in every history of servers, written down as they happen.
 *
 * The ledger sees every call that takes effect and keeps its own books of keys, aliases and tags, so that it does not
 * rest on what the key manager believes. `inUse` is: in the entries of a live server, or behind an alias that a live
 * server has in its entries.
 */
import type { UpkeepConfig } from "../../src/key-manager/config.ts";
import type { Call, SimulatedAccount, Watcher } from "./simulated-account.ts";
import { SimulatedServer } from "./simulated-server.ts";

const minuteMs = 60_000;
/** Retries of the deletion queue, pacing, rounds of a refresh. */
const slackMs = 40 * minuteMs;
/** What two replicas do at the same moment is put right by then. */
const racesMs = 2 * minuteMs;

interface KeyBook {
  readonly keyId: string;
  readonly trustDomain: string | undefined;
  readonly createdAt: number;
  readonly tags: Map<string, string>;
  isPending: boolean;
  /** When it was last seen in use, or lost its alias. */
  lastUsedAt: number;
}

interface AliasBook {
  readonly identity: string | undefined;
  keyId: string;
  updatedAt: number;
  /** Former targets, and when it was moved off them. */
  readonly before: Map<string, number>;
}

interface LiveServer {
  readonly server: SimulatedServer;
  readonly upkeep: UpkeepConfig;
  readonly since: number;
  /** The last time a fault hit it. */
  troubledAt: number;
  /** Since when its entry of an alias differs from where the alias stands. */
  readonly divergedSince: Map<string, number>;
}

/** The members of inputs and outputs that matter here. */
interface Members {
  readonly KeyId?: string;
  readonly TargetKeyId?: string;
  readonly AliasName?: string;
  readonly Tags?: readonly { readonly TagKey: string; readonly TagValue: string }[];
}

const bare = (keyId: string): string => keyId.slice(keyId.lastIndexOf("/") + 1);

export class Ledger implements Watcher {
  readonly violations: string[] = [];
  readonly #account: SimulatedAccount;
  readonly #keys = new Map<string, KeyBook>();
  readonly #aliases = new Map<string, AliasBook>();
  readonly #live = new Map<SimulatedServer, LiveServer>();
  readonly #replicated: (identity: string) => boolean;

  constructor(account: SimulatedAccount, isReplicated: (identity: string) => boolean) {
    this.#account = account;
    this.#replicated = isReplicated;
    account.watchers.add(this);
  }

  /** A server is configured. */
  isUp(server: SimulatedServer): void {
    const upkeep = server.config?.upkeep;
    if (upkeep === undefined) throw new Error("the server is not configured");
    const now = this.#now;
    this.#live.set(server, { server, upkeep, since: now, troubledAt: now, divergedSince: new Map() });
  }

  isDown(server: SimulatedServer): void {
    for (const { keyArn } of this.#live.has(server) ? server.entries.values() : []) this.#used(bare(keyArn));
    this.#live.delete(server);
  }

  isTroubled(server: SimulatedServer): void {
    const live = this.#live.get(server);
    if (live !== undefined) live.troubledAt = this.#now;
  }

  /** A server has replaced a key: it must be on its way soon. */
  hasReplaced(server: SimulatedServer, keyArn: string): void {
    const at = this.#now;
    const look = (): void => {
      const live = this.#live.get(server);
      if (live === undefined) return;
      const waitMs = Math.max(at, live.troubledAt) + slackMs - this.#now;
      if (waitMs > 0) this.#account.time.after(waitMs, look);
      else if (this.#keys.get(bare(keyArn))?.isPending === false) this.#violation(`replaced key ${bare(keyArn)} stays`);
    };
    this.#account.time.after(slackMs, look);
  }

  /** Live keys of the trust domains, and those of them that are in use. */
  counts(): { readonly live: number; readonly used: number } {
    const live = [...this.#keys.values()].filter(
      ({ isPending, trustDomain }) => !isPending && trustDomain !== undefined,
    );
    return { live: live.length, used: live.filter((key) => this.#isInUse(key.keyId)).length };
  }

  onTry({ operation, input, caller }: Call): void {
    if (!(caller instanceof SimulatedServer)) return;
    const members = input as Members;
    if (operation === "DeleteAlias") this.#mayDeleteAlias(members.AliasName ?? "", caller);
    if (!["ScheduleKeyDeletion", "TagResource", "UpdateAlias", "CreateAlias"].includes(operation)) return;
    const key = this.#keys.get(bare(members.TargetKeyId ?? members.KeyId ?? ""));
    if (key !== undefined && key.trustDomain !== caller.options.trustDomain) {
      this.#violation(`${caller.identity} ${operation} on a key of ${key.trustDomain ?? "somebody else"}`);
    }
    const alias = this.#aliases.get(members.AliasName ?? "");
    if (alias !== undefined && alias.identity !== caller.identity) {
      this.#violation(`${caller.identity} ${operation} on alias ${members.AliasName} of ${alias.identity}`);
    }
  }

  onEffect({ operation, input, caller }: Call, output: unknown): void {
    const members = input as Members;
    const now = this.#now;
    switch (operation) {
      case "CreateKey": {
        const { KeyMetadata } = output as { KeyMetadata: { KeyId: string } };
        const trustDomain = caller instanceof SimulatedServer ? caller.options.trustDomain : undefined;
        const tags = new Map((members.Tags ?? []).map(({ TagKey, TagValue }) => [TagKey, TagValue]));
        const { KeyId: keyId } = KeyMetadata;
        this.#keys.set(keyId, { keyId, trustDomain, createdAt: now, tags, isPending: false, lastUsedAt: now });
        return;
      }
      case "CreateAlias": {
        const identity = caller instanceof SimulatedServer ? caller.identity : undefined;
        const keyId = bare(members.TargetKeyId ?? "");
        this.#aliases.set(members.AliasName ?? "", { identity, keyId, updatedAt: now, before: new Map() });
        return;
      }
      case "UpdateAlias":
        this.#aliasMoved(members.AliasName ?? "", bare(members.TargetKeyId ?? ""), caller);
        return;
      case "DeleteAlias":
        this.#used(this.#aliases.get(members.AliasName ?? "")?.keyId ?? "");
        this.#aliases.delete(members.AliasName ?? "");
        return;
      case "TagResource":
        for (const { TagKey, TagValue } of members.Tags ?? []) {
          this.#keys.get(bare(members.KeyId ?? ""))?.tags.set(TagKey, TagValue);
        }
        return;
      case "ScheduleKeyDeletion":
        this.#scheduled(bare(members.KeyId ?? ""), caller);
    }
  }

  /** Looks whether everything that has to be done by now is done. */
  check(): void {
    for (const live of this.#live.values()) this.#checkServer(live);
    for (const key of this.#keys.values()) {
      if (key.isPending || key.trustDomain === undefined) continue;
      if (this.#isInUse(key.keyId)) key.lastUsedAt = this.#now;
      else this.#checkUnused(key);
    }
  }

  get #now(): number {
    return this.#account.time.now;
  }

  #used(keyId: string): void {
    const key = this.#keys.get(keyId);
    if (key !== undefined) key.lastUsedAt = this.#now;
  }

  #violation(text: string): void {
    this.violations.push(`${new Date(this.#now).toISOString()} ${text}`);
  }

  #entriesOf({ server }: LiveServer) {
    return server.isConfigured ? [...server.entries.values()] : [];
  }

  #isAliasInUse(aliasName: string): boolean {
    const identity = this.#aliases.get(aliasName)?.identity;
    return [...this.#live.values()].some(
      (live) =>
        live.server.identity === identity && this.#entriesOf(live).some((entry) => entry.aliasName === aliasName),
    );
  }

  #isInUse(keyId: string): boolean {
    for (const live of this.#live.values()) {
      for (const { keyArn, aliasName } of this.#entriesOf(live)) {
        if (bare(keyArn) === keyId || this.#aliases.get(aliasName)?.keyId === keyId) return true;
      }
    }
    return false;
  }

  #mayDeleteAlias(aliasName: string, caller: SimulatedServer): void {
    const alias = this.#aliases.get(aliasName);
    if (alias === undefined) return;
    if (!alias.identity?.startsWith(`${caller.options.trustDomain} `)) {
      this.#violation(
        `${caller.identity} DeleteAlias of ${aliasName}, which is ${alias.identity ?? "somebody else"}'s`,
      );
    } else if (this.#isAliasInUse(aliasName)) {
      this.#violation(`${caller.identity} DeleteAlias of ${aliasName}, which is in use`);
    }
  }

  #aliasMoved(aliasName: string, keyId: string, caller: unknown): void {
    const alias = this.#aliases.get(aliasName);
    if (alias === undefined) return;
    alias.updatedAt = this.#now;
    if (alias.keyId === keyId) return;
    this.#used(alias.keyId);
    alias.before.set(alias.keyId, this.#now);
    alias.keyId = keyId;
    // Of rotations at the same moment the last one stands, be it by the repetition of a call whose answer was lost.
    const movedOffAt = alias.before.get(keyId);
    if (movedOffAt === undefined || this.#now - movedOffAt < minuteMs) return;
    this.#soon(caller, () => {
      if (this.#aliases.get(aliasName)?.keyId === keyId) this.#violation(`${aliasName} was moved back to ${keyId}`);
    });
  }

  #scheduled(keyId: string, caller: unknown): void {
    const key = this.#keys.get(keyId);
    if (key === undefined || !(caller instanceof SimulatedServer)) return;
    key.isPending = true;
    if (caller.isTagMode && key.tags.get("spire-active") === "true") {
      this.#violation(`${caller.identity} scheduled ${keyId} while it is marked active`);
    }
    for (const live of this.#live.values()) {
      for (const { keyArn, aliasName } of this.#entriesOf(live)) {
        const stands = this.#aliases.get(aliasName)?.keyId === keyId;
        const { identity } = live.server;
        if (!this.#replicated(identity) && (stands || bare(keyArn) === keyId)) {
          this.#violation(`${caller.identity} scheduled ${keyId}, which ${identity} uses`);
        }
        if (!stands) continue;
        this.#soon(caller, () => {
          if (this.#aliases.get(aliasName)?.keyId === keyId && live.server.isAlive) {
            this.#violation(`${caller.identity} scheduled ${keyId}, on which ${aliasName} stands`);
          }
        });
      }
    }
  }

  /** Replicas race without a lock, and put right what came of it, unless the one that has to is killed meanwhile. */
  #soon(caller: unknown, look: () => void): void {
    this.#account.time.after(racesMs, () => {
      const live = caller instanceof SimulatedServer ? this.#live.get(caller) : undefined;
      if (live !== undefined && live.troubledAt < this.#now - racesMs) look();
    });
  }

  #checkServer(live: LiveServer): void {
    const { server, upkeep, divergedSince } = live;
    const quietSince = Math.max(live.since, live.troubledAt);
    const dueMs = upkeep.aliasRefreshIntervalMs + upkeep.scanStartDelayMs + slackMs;
    const diverged = new Set<string>();
    for (const { keyArn, aliasName } of this.#entriesOf(live)) {
      const alias = this.#aliases.get(aliasName);
      if (alias?.keyId !== bare(keyArn)) {
        diverged.add(aliasName);
        const since = divergedSince.get(aliasName) ?? this.#now;
        divergedSince.set(aliasName, since);
        if (this.#now - Math.max(since, quietSince) > dueMs) {
          this.#violation(`${server.identity} uses ${bare(keyArn)} while ${aliasName} stands on ${alias?.keyId}`);
        }
      }
      if (alias !== undefined && this.#now - Math.max(alias.updatedAt, quietSince) > dueMs) {
        this.#violation(`${server.identity} does not refresh ${aliasName}`);
      }
    }
    for (const aliasName of divergedSince.keys()) if (!diverged.has(aliasName)) divergedSince.delete(aliasName);
  }

  #checkUnused(key: KeyBook): void {
    const found = [...this.#aliases].find(([, alias]) => alias.keyId === key.keyId);
    for (const live of this.#live.values()) {
      if (live.server.options.trustDomain !== key.trustDomain) continue;
      const due = found === undefined ? this.#orphanDue(key, live) : this.#staleAliasDue(found[1], live);
      if (due === undefined) continue;
      const start = Math.max(due, live.since, live.troubledAt);
      const { staleAliasScanIntervalMs, staleKeyScanIntervalMs, scanStartDelayMs } = live.upkeep;
      const scanMs = found === undefined ? staleKeyScanIntervalMs : staleAliasScanIntervalMs;
      if (this.#now > start + scanMs + scanStartDelayMs + slackMs) {
        const what = found === undefined ? "without alias" : `behind ${found[0]}`;
        this.#violation(`key ${key.keyId} ${what} is not pruned by ${live.server.identity}`);
        key.isPending = true;
        return;
      }
    }
  }

  #staleAliasDue(alias: AliasBook, { server, upkeep }: LiveServer): number | undefined {
    return alias.identity === server.identity ? undefined : alias.updatedAt + upkeep.staleAliasThresholdMs;
  }

  /** When a key without alias becomes this server's business, if ever. */
  #orphanDue({ tags, createdAt, lastUsedAt }: KeyBook, { server, upkeep }: LiveServer): number | undefined {
    const { staleKeyThresholdMs, staleAliasThresholdMs } = upkeep;
    if (!server.isTagMode) return Math.max(createdAt + staleKeyThresholdMs, lastUsedAt);
    // Without ListKeys a key that has no tags cannot be found.
    if (tags.get("spire-server-td") !== server.options.trustDomain) return undefined;
    const skewMs = Math.abs(server.options.skewMs ?? 0);
    if (tags.get("spire-active") !== "true") return lastUsedAt + skewMs;
    const isOwn = tags.get("spire-server-id") === server.options.serverId;
    const keptAt = Math.max(createdAt, Number(tags.get("spire-last-update") ?? 0) * 1000, lastUsedAt);
    return keptAt + skewMs + (isOwn ? staleKeyThresholdMs : staleAliasThresholdMs);
  }
}
