/** What an inventory is asked for, and what it tells as it goes. */
import type { KeyNames } from "../names.ts";
import type { Clock, KmsClient, KmsError, TaggingClient } from "../ports.ts";
import type { MemberCondition } from "./key-member.ts";
import type { KeyClass, KeyRow } from "./key-row.ts";
import type { MemberOptions } from "./member-looks.ts";

export interface InventoryOptions {
  readonly kms: Pick<KmsClient, "listAliases" | "listKeys" | "describeKey">;
  readonly clock: Clock;
  readonly region: string;
  /** Names that take no server for this one. */
  readonly names: KeyNames;
  readonly ownServerId?: string | undefined;
  readonly staleAliasMs: number;
  readonly staleKeyMs: number;
  /** Whether servers of these names prune at all: those of the older plugin do not. */
  readonly isPruned: boolean;
  readonly prunesAmbiguous: boolean;
  /** The Regions whose members of multi-Region keys the server prunes; none without `replica_regions`. */
  readonly lookedAfter?: readonly string[] | undefined;
  /** For servers in tag mode: where tags are asked for, and of which trust domain. */
  readonly tags?: { readonly tagging: TaggingClient; readonly trustDomain: string } | undefined;
  /** Calls a second, of all kinds together; default {@link defaultCallsPerSecond}. */
  readonly callsPerSecond?: number | undefined;
  /**
   * Keys that no alias stands on: only DescribeKey tells whose each of them is. `auto`, the default: they are looked at
   * as long as no more than {@link maxDescribes} keys are described in all.
   */
  readonly nameless?: "auto" | "all" | "none" | undefined;
  /** Whether keys of others are described and told, too. */
  readonly foreign?: boolean | undefined;
  /** Where the members of multi-Region keys are looked at; undefined: they are not. */
  readonly members?: MemberOptions | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A tenth of the smallest quota of DescribeKey that a Region has. */
export const defaultCallsPerSecond = 200;

/** So many keys are described without being asked for. */
export const maxDescribes = 5_000;

/** How far it has come. */
export interface InventoryProgress {
  readonly aliasPages: number;
  readonly aliases: number;
  readonly isListed: boolean;
  readonly described: number;
  /** Still to be described, as far as is known by now. */
  readonly waiting: number;
}

/** A permission that is missing, or a part of AWS that does not answer; the inventory goes on without it. */
export interface InventoryTrouble {
  readonly error: KmsError;
  /** What is not known for want of it. */
  readonly consequence: string;
}

export interface InventorySummary {
  /** KMS's time. */
  readonly now: Date;
  readonly byClass: Readonly<Record<KeyClass, number>>;
  /** Rows in all. */
  readonly keys: number;
  readonly servers: number;
  readonly monthlyCostUsd: number;
  /** Members of multi-Region keys in other Regions, which are in none of the numbers above. */
  readonly members: Readonly<Record<MemberCondition, number>>;
  readonly membersMonthlyCostUsd: number;
  /** Keys that the scans schedule for deletion. */
  readonly prunable: number;
  /** Keys of others that were seen and have no row: by their aliases, or by their descriptions. */
  readonly foreignKeys: number;
  /** Keys without an alias that were not looked at. */
  readonly namelessNotLookedAt: number;
  /** Members in other Regions that were not looked at. */
  readonly membersNotLookedAt: number;
  /** All keys of the account and Region; undefined where ListKeys was not asked or denied. */
  readonly keysInRegion: number | undefined;
  /** Whether nothing was denied and nothing left out. */
  readonly isComplete: boolean;
}

export type InventoryEvent =
  /** Told again for the same key when more is known of it; the last one counts. */
  | { readonly kind: "row"; readonly row: KeyRow }
  | { readonly kind: "progress"; readonly progress: InventoryProgress }
  | { readonly kind: "trouble"; readonly trouble: InventoryTrouble }
  | { readonly kind: "end"; readonly summary: InventorySummary };
