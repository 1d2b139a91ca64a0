/** What is known of a key, and what it is judged by. */
import type { KeyNames } from "../names.ts";
import type { AliasListEntry, KeyMetadata } from "../ports.ts";
import type { SpireTags } from "../tags/spire-tags.ts";

/** A key as far as KMS shows it. */
export interface InventoryFacts {
  readonly keyId: string;
  /** `NOT_FOUND`: there is no such key (any more). `ACCESS_DENIED`: it may not be described. */
  readonly key: KeyMetadata | "NOT_FOUND" | "ACCESS_DENIED";
  readonly aliases: readonly AliasListEntry[];
  /** Undefined: it has none of the plugin's, or they are not known. */
  readonly tags: SpireTags | undefined;
  /** Whether {@link aliases} are all it has. */
  readonly areAliasesKnown: boolean;
}

export interface JudgeContext {
  readonly region: string;
  /** Names that take no server for this one. */
  readonly names: KeyNames;
  /** The server that the configuration is about, if it is known. */
  readonly ownServerId?: string | undefined;
  /** KMS's time. */
  readonly now: Date;
  readonly staleAliasMs: number;
  readonly staleKeyMs: number;
  /** Whether servers of these names prune at all. */
  readonly isPruned: boolean;
  readonly prunesAmbiguous: boolean;
  /** The Regions whose members of multi-Region keys the server prunes; none without `replica_regions`. */
  readonly lookedAfter?: readonly string[] | undefined;
  /** In tag mode. */
  readonly trustDomain: string | undefined;
  /** A key that shows that another trust domain is written alike in aliases. */
  readonly twin: KeyMetadata | undefined;
}
