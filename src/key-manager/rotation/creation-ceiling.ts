/**
 * The run-away guards: how many keys this process may create in an hour, and how many this server may have at all.
 *
 * A crash loop once left a user with some 16,000 unused keys at a dollar a month each (SPIRE issue 5497).
 */
import { KeyManagerError } from "../errors.ts";
import type { Clock } from "../ports.ts";

const hourMs = 3_600_000;

export class CreationCeiling {
  readonly #clock: Clock;
  #createdAt: number[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Counts one creation.
   *
   * @param maxPerHour 0 = no ceiling
   * @throws KeyManagerError `ResourceExhausted` when the last hour has had that many already
   */
  count(maxPerHour: number): void {
    const now = this.#clock.elapsedMs();
    this.#createdAt = this.#createdAt.filter((at) => at > now - hourMs);
    const oldest = this.#createdAt[0];
    if (maxPerHour > 0 && oldest !== undefined && this.#createdAt.length >= maxPerHour) {
      const minutes = Math.ceil((oldest + hourMs - now) / 60_000);
      throw new KeyManagerError(
        "RESOURCE_EXHAUSTED",
        `${this.#createdAt.length} keys were created within the last hour, which is max_keys_created_per_hour; look for what makes SPIRE ask for keys again and again, or raise the setting. The next key can be created in ${minutes} min`,
      );
    }
    this.#createdAt.push(now);
  }
}

export interface LiveKeys {
  /** Keys in use, each under its id. */
  readonly inUse: number;
  /** Keys of this server that KMS has not yet taken for deletion: they cost as much. */
  readonly waiting: number;
}

/**
 * Makes sure that one key more is not too many. A key that replaces another needs no room of its own, as long as the
 * replaced ones do go.
 *
 * @param max 0 = no ceiling
 * @throws KeyManagerError `ResourceExhausted`
 */
export function requireRoom({ inUse, waiting }: LiveKeys, isReplacement: boolean, max: number): void {
  if (max === 0 || inUse + waiting + (isReplacement ? 0 : 1) <= max) return;
  const advice =
    waiting === 0
      ? "look for what makes SPIRE ask for ever new key ids, or raise the setting"
      : `look in the log for why keys are not scheduled for deletion (kms:ScheduleKeyDeletion), or raise the setting`;
  throw new KeyManagerError(
    "RESOURCE_EXHAUSTED",
    `this server has ${inUse} keys in use and ${waiting} still to be scheduled for deletion, and max_live_keys is ${max}; ${advice}`,
  );
}
