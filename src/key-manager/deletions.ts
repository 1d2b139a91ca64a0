/**
 * What is asked of the deletion queue (`removal/deletion-queue.ts`): which key is to be scheduled for deletion, by which
 * rule, and what must be true of the key at that moment.
 */
import type { KeyRing } from "./keys/key-ring.ts";
import type { AliasListEntry, KeyMetadata, KmsClient, LogFields } from "./ports.ts";

/** A key as KMS shows it at one moment. */
export interface KeyFacts {
  readonly key: KeyMetadata;
  /** All aliases of the key. */
  readonly aliases: readonly AliasListEntry[];
  /** KMS's own time; undefined where its answers did not tell. */
  readonly now: Date | undefined;
}

/** @returns why the key must stay, in words for the log; undefined when it may be scheduled for deletion */
export type DeletionRule = (facts: KeyFacts) => string | undefined;

/** The id that a key was made for or stood under. */
export interface KeySlot {
  readonly keyId: string;
  readonly aliasName: string;
  readonly ring: KeyRing;
}

/** Takes the mark of {@link DeletionRequest.markInactive} back. Never rejects. */
export type TakeMarkBack = () => Promise<"active" | "inactive" | "pending deletion">;

/** Where a member of a multi-Region key is looked at. */
export interface MemberContext {
  readonly region: string;
  readonly kms: KmsClient;
  readonly signal: AbortSignal;
}

/** Why a member must stay, and with it all others; for good or for now. */
export type WhyMemberStays = { readonly spared: string } | { readonly notYet: string } | undefined;

/** What is to be known of the other members of a multi-Region key. */
export interface KeySetRequest {
  readonly regions: {
    /** A key with a member in any other Region stays. */
    readonly lookedAfter: readonly string[];
    kmsIn(region: string): KmsClient | undefined;
  };
  /** Asked for each member that is not pending deletion, at each attempt. @throws KmsError for what may pass */
  readonly whyMemberStays: (facts: KeyFacts, context: MemberContext) => Promise<WhyMemberStays>;
  readonly markInactive?: ((keyArn: string, kms: KmsClient) => Promise<TakeMarkBack | undefined>) | undefined;
}

export interface DeletionRequest {
  /** The client of the account and Region that the key lives in, whatever is configured later. */
  readonly kms: KmsClient;
  readonly keyArn: string;
  readonly aliasName: string | undefined;
  readonly pendingWindowInDays: number;
  /** Which rule has found the key, for the log: `rotated`, `stale alias`, … */
  readonly rule: string;
  /** More for the log line. */
  readonly details?: LogFields;
  /** Whether it was this server's: until it is scheduled for deletion it counts among the keys that this server pays for. */
  readonly isOwn?: boolean;
  /** Reads again what {@link mayStay} goes by besides the key itself; before each look. @throws KmsError: then the deletion waits */
  readonly beforeLook?: ((signal: AbortSignal) => Promise<void>) | undefined;
  /** Asked at each attempt, with the facts of that moment. */
  readonly mayStay: DeletionRule;
  /**
   * For what a scan has found: why KMS's record of the key's use speaks against it. Asked last, at each attempt.
   *
   * @throws KmsError for what may pass
   */
  readonly whyUsed?: ((facts: KeyFacts, signal: AbortSignal) => Promise<string | undefined>) | undefined;
  /**
   * For a key that was replaced: its alias is looked at by name, because a listing may be older, and is moved to the key
   * in use should it stand on this one.
   */
  readonly slot?: KeySlot | undefined;
  /** For a key that was not to take its place: the alias that was asked for. Should it stand on the key, the key is in use. */
  readonly unlessAlias?: string | undefined;
  /**
   * What the key could still be used for: only for a key that has never stood behind an alias and that no caller knows of.
   * Equal for keys that could stand for one another.
   */
  readonly purpose?: string | undefined;
  /** Alias to put on the key when its deletion takes long, so that the next process finds it; KMS removes it with the key. */
  readonly reminder?: string | undefined;
  /**
   * Marks the key as not in use any more, where tags say so; before it is scheduled for deletion, because KMS tags no key
   * that is pending deletion.
   *
   * @returns undefined where there is nothing to take back
   */
  readonly markInactive?: ((keyArn: string) => Promise<TakeMarkBack | undefined>) | undefined;
  /** The other members of a multi-Region key. Without it a key goes alone, and the rule has to spare those that have others. */
  readonly set?: KeySetRequest | undefined;
  /** Alias to delete once the key is scheduled for deletion, if it still stands on the key. */
  readonly staleAlias?: string | undefined;
}

/**
 * How it ended.
 *
 * `in use`: by this server, or its own alias stands on it rightfully. `spared`: by the rule. `reclaimed`: it was taken
 * back, to be used after all. `not done`: it could not be done in a day, or the process ends; the scans find it again.
 */
export type DeletionOutcome = "scheduled" | "in use" | "spared" | "not found" | "refused" | "reclaimed" | "not done";

export interface Deletions {
  /** Takes a key, unless it is here already. Never rejects. */
  schedule(request: DeletionRequest): Promise<DeletionOutcome>;
  /** Number of keys of this server not yet scheduled. */
  readonly ownSize: number;
  /** Whether the key is on its way already. */
  has(keyArn: string): boolean;
  /** Whether a key was here before and could not be scheduled. */
  hasFailed(keyArn: string): boolean;
  /**
   * Takes a key back that waits here only because KMS would not schedule it, and to which nothing has happened since it
   * was made.
   *
   * @param purpose see {@link DeletionRequest.purpose}
   * @param kms the client that the key must have been made with
   * @returns its ARN
   */
  reclaim(purpose: string, kms: KmsClient): string | undefined;
}
