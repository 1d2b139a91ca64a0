/**
 * The keys that this server uses, each under its SPIRE key id: what signs now, what was made so recently that KMS may not
 * show it yet, and whose turn it is to change the key of an id.
 *
 * A ring belongs to one configuration. The next one takes over the generations under way and what is known of recent keys.
 */
import { KeyManagerError } from "../errors.ts";
import { NamedQueue } from "../pace/concurrency.ts";
import type { Clock } from "../ports.ts";
import { type KeyEntries, type KeyEntry, withEntry } from "./key-entry.ts";
import { isSameKey } from "./multi-region-key.ts";

/** What is known of the key that was last put under an id. */
interface Arrival {
  readonly keyArn: string;
  /** The key that was under the id before. */
  readonly replacedArn: string | undefined;
  /** When, in ms. */
  readonly at: number;
  /** Whether any caller may know of it: its caller had not given up by then, or it has been looked up or used since. */
  isDelivered: boolean;
}

/** A key in use that was made a moment ago. */
export interface RecentKey {
  readonly entry: KeyEntry;
  /** Where its alias stood before; undefined: there was none. */
  readonly replacedArn: string | undefined;
}

/** How long KMS may not yet know a new key everywhere. */
const freshMs = 60_000;
/** How long KMS may show an alias as it was before: minutes, it says. */
const recentMs = 5 * 60_000;

export class KeyRing {
  readonly #clock: Clock;
  readonly #arrivals = new Map<string, Arrival>();
  readonly #turns: NamedQueue;
  #entries: KeyEntries;

  /**
   * @param entries what was found in KMS
   * @param predecessor the ring of the configuration before, in the same process
   */
  constructor(clock: Clock, entries: KeyEntries, predecessor?: KeyRing) {
    this.#clock = clock;
    this.#entries = entries;
    this.#turns = predecessor === undefined ? new NamedQueue() : predecessor.#turns;
    if (predecessor !== undefined) this.#inherit(predecessor);
  }

  /** As they are at this moment; never changed in place. */
  get entries(): KeyEntries {
    return this.#entries;
  }

  get(keyId: string): KeyEntry | undefined {
    return this.#entries.get(keyId);
  }

  /**
   * The key that a caller asks for by its id.
   *
   * @throws KeyManagerError `INVALID_ARGUMENT` without an id, `NOT_FOUND` for one that is not ours
   */
  lookUp(keyId: string): KeyEntry {
    requireKeyId(keyId);
    const entry = this.#entries.get(keyId);
    if (entry === undefined) throw new KeyManagerError("NOT_FOUND", `key ${JSON.stringify(keyId)} not found`);
    this.markDelivered(keyId);
    return entry;
  }

  /** All keys, for a caller. */
  list(): readonly KeyEntry[] {
    for (const arrival of this.#arrivals.values()) arrival.isDelivered = true;
    return [...this.#entries.values()];
  }

  /** Whether the key is in use under any id; of a multi-Region key, whether any member of it is. */
  uses(keyArn: string): boolean {
    for (const entry of this.#entries.values()) if (isSameKey(entry.keyArn, keyArn)) return true;
    return false;
  }

  /** Puts a key in place that was found. @returns the one it replaced */
  put(entry: KeyEntry): KeyEntry | undefined {
    const replaced = this.#entries.get(entry.keyId);
    this.#entries = withEntry(this.#entries, entry);
    return replaced;
  }

  /**
   * Puts a key in place that was just made.
   *
   * @param isDelivered whether a caller may learn of it: false when its caller has given up
   * @returns the one it replaced
   */
  putNew(entry: KeyEntry, isDelivered: boolean): KeyEntry | undefined {
    const replaced = this.put(entry);
    const { keyId, keyArn } = entry;
    this.#arrivals.set(keyId, { keyArn, replacedArn: replaced?.keyArn, at: this.#now(), isDelivered });
    return replaced;
  }

  /** Runs a job in turn with everything else that changes the key of this id; other ids are not waited for. */
  inTurn<T>(keyId: string, job: () => Promise<T>): Promise<T> {
    return this.#turns.run(keyId, job);
  }

  /** Whether KMS may still say that there is no such key. */
  isFresh(entry: KeyEntry): boolean {
    return this.#ageMs(entry) < freshMs;
  }

  /** Whether KMS may still show the alias of the key where it stood before. */
  isRecent(entry: KeyEntry): boolean {
    return this.#ageMs(entry) < recentMs;
  }

  /** Keys that this process made so recently that KMS may not yet show their aliases on them. */
  get recentKeys(): readonly RecentKey[] {
    return [...this.#entries.values()].flatMap((entry) =>
      this.isRecent(entry) ? [{ entry, replacedArn: this.#arrivals.get(entry.keyId)?.replacedArn }] : [],
    );
  }

  /** Whether certainly no caller knows of the key. */
  isUndelivered({ keyId, keyArn }: KeyEntry): boolean {
    const arrival = this.#arrivals.get(keyId);
    return arrival?.keyArn === keyArn && !arrival.isDelivered;
  }

  markDelivered(keyId: string): void {
    const arrival = this.#arrivals.get(keyId);
    if (arrival !== undefined) arrival.isDelivered = true;
  }

  #inherit(predecessor: KeyRing): void {
    for (const { keyId, keyArn } of this.#entries.values()) {
      const arrival = predecessor.#arrivals.get(keyId);
      if (arrival?.keyArn === keyArn) this.#arrivals.set(keyId, { ...arrival, isDelivered: true });
    }
  }

  #ageMs({ keyId, keyArn }: KeyEntry): number {
    const arrival = this.#arrivals.get(keyId);
    return arrival?.keyArn === keyArn ? this.#now() - arrival.at : Number.POSITIVE_INFINITY;
  }

  #now(): number {
    return this.#clock.elapsedMs();
  }
}

/** @throws KeyManagerError `INVALID_ARGUMENT` */
export function requireKeyId(keyId: string): void {
  if (keyId === "") throw new KeyManagerError("INVALID_ARGUMENT", "key id is required");
}
