/** What is special about keys that this process has just made: KMS may not show them yet, and perhaps nobody knows of them. */
import type { KeyEntry } from "../key-entry.ts";
import type { Clock } from "../ports.ts";

interface MadeKey {
  readonly keyArn: string;
  /** The key that was under the id before. */
  readonly replacedArn: string | undefined;
  /** When, in ms. */
  readonly at: number;
  /** Whether anybody may know of it: who asked for it had not given up by then, or it has been looked up or used since. */
  isDelivered: boolean;
}

export interface RecentKey {
  readonly entry: KeyEntry;
  /** Where its alias stood before; undefined: there was none. */
  readonly replacedArn: string | undefined;
}

/** How long KMS may not yet know a new key everywhere. */
const freshMs = 60_000;
/** How long KMS may show an alias as it was before: minutes, it says. */
const recentMs = 5 * 60_000;

/** The key that was last made under each id. */
export class MadeKeys {
  readonly #clock: Clock;
  readonly #made = new Map<string, MadeKey>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add({ keyId, keyArn }: KeyEntry, replacedArn: string | undefined, isDelivered: boolean): void {
    this.#made.set(keyId, { keyArn, replacedArn, at: this.#now(), isDelivered });
  }

  /** Takes over what another configuration's key manager knew of a key. */
  inherit({ keyId, keyArn }: KeyEntry, from: MadeKeys): void {
    const made = from.#made.get(keyId);
    if (made?.keyArn === keyArn) this.#made.set(keyId, { ...made, isDelivered: true });
  }

  /** Whether KMS may say that there is no such key. */
  isFresh(entry: KeyEntry): boolean {
    return this.#ageMs(entry) < freshMs;
  }

  /** The key as recently made, if KMS may still show its alias where it was before. */
  recent(entry: KeyEntry): RecentKey | undefined {
    return this.#ageMs(entry) < recentMs ? { entry, replacedArn: this.#made.get(entry.keyId)?.replacedArn } : undefined;
  }

  /** Whether certainly nobody knows of the key. */
  isUndelivered({ keyId, keyArn }: KeyEntry): boolean {
    const made = this.#made.get(keyId);
    return made?.keyArn === keyArn && !made.isDelivered;
  }

  /** Somebody learns of the key under this id. */
  deliver(keyId: string): void {
    const made = this.#made.get(keyId);
    if (made !== undefined) made.isDelivered = true;
  }

  /** Somebody learns of all keys. */
  deliverAll(): void {
    for (const made of this.#made.values()) made.isDelivered = true;
  }

  #ageMs({ keyId, keyArn }: KeyEntry): number {
    const made = this.#made.get(keyId);
    return made?.keyArn === keyArn ? this.#now() - made.at : Number.POSITIVE_INFINITY;
  }

  #now(): number {
    return this.#clock.now().getTime();
  }
}
