/**
 * The run-away guard: how many keys this process may create in an hour.
 *
 * A crash loop once left a user with some 16,000 unused keys at a dollar a month each (SPIRE issue 5497).
 */
import { KeyManagerError } from "./errors.ts";
import type { Clock } from "./ports.ts";

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
    const now = this.#clock.now().getTime();
    this.#createdAt = this.#createdAt.filter((at) => at > now - hourMs && at <= now);
    const oldest = this.#createdAt[0];
    if (maxPerHour > 0 && oldest !== undefined && this.#createdAt.length >= maxPerHour) {
      const minutes = Math.ceil((oldest + hourMs - now) / 60_000);
      throw new KeyManagerError(
        "ResourceExhausted",
        `${this.#createdAt.length} keys were created within the last hour, which is max_keys_created_per_hour; look for what makes SPIRE ask for keys again and again, or raise the setting. The next key can be created in ${minutes} min`,
      );
    }
    this.#createdAt.push(now);
  }
}
