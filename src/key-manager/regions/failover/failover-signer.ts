/**
 * Signatures by multi-Region keys although KMS fails in one Region: another Region that has a replica is asked instead.
 *
 * Throttling and denials are no failure: they are KMS's word, and another Region's quota is not there to get around it.
 */
import { explain } from "../../errors.ts";
import { isMultiRegionKey } from "../../keys/multi-region-key.ts";
import type { Clock, KmsClient, Logger, SignInput } from "../../ports.ts";
import type { Telemetry } from "../../telemetry.ts";
import { failuresToOpen } from "./region-health.ts";
import { type RegionalSignature, SignatureRace } from "./signature-race.ts";
import { SigningRegion } from "./signing-region.ts";

export interface FailoverOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly telemetry: Telemetry;
  /** The Region of the keys. */
  readonly home: string;
  /** Those to ask when it fails, the first choice first. */
  readonly failover: readonly string[];
  readonly kmsIn: (region: string) => Pick<KmsClient, "sign"> | undefined;
}

export class FailoverSigner {
  readonly #options: FailoverOptions;
  readonly #home: SigningRegion | undefined;
  /** The home Region, then the others in the order of the configuration. */
  readonly #regions: readonly SigningRegion[];
  /** Those with one Region under way, the oldest first. */
  readonly #races = new Set<SignatureRace>();
  #isWatching = false;

  constructor(options: FailoverOptions) {
    this.#options = options;
    const { clock, home, failover, kmsIn } = options;
    this.#regions = [home, ...failover].flatMap((region) => {
      const kms = kmsIn(region);
      if (kms === undefined) return [];
      return [new SigningRegion(region, kms, clock, (isAnswering, reason) => this.#tell(region, isAnswering, reason))];
    });
    this.#home = this.#regions.find(({ region }) => region === home);
  }

  /** Whether there is another Region to ask. */
  get isOn(): boolean {
    return this.#regions.length > 1;
  }

  /** Whether there is another Region to ask about this key. */
  covers(keyArn: string): boolean {
    return this.isOn && isMultiRegionKey(keyArn);
  }

  /** KMS has already failed at home, at something else than a signature: it is not asked first until it answers a probe. */
  homeHasFailed(reason: unknown): void {
    for (let failure = 0; failure < failuresToOpen; failure++) this.#home?.failed(reason);
  }

  /** Whether KMS answers, by Region. */
  get regions(): readonly { readonly region: string; readonly isAnswering: boolean }[] {
    return this.#regions.map(({ region, health }) => ({ region, isAnswering: !health.isOpen }));
  }

  /** @throws KmsError */
  async sign(input: SignInput, signal: AbortSignal | undefined): Promise<RegionalSignature> {
    const home = this.#home;
    if (home === undefined) throw new TypeError("there is no client of the home Region");
    const { clock, telemetry } = this.#options;
    const race = new SignatureRace({ clock, input, order: this.#order, home, signal });
    this.#races.add(race);
    if (!this.#isWatching) void this.#watch();
    try {
      const signed = await race.run();
      if (signed.region !== home.region) telemetry.count("signatures_failed_over");
      return signed;
    } finally {
      this.#races.delete(race);
      for (const region of this.#regions) if (region.health.isOpen) void region.probe(input);
    }
  }

  /** Those that answer first; the others are the last resort. */
  get #order(): readonly SigningRegion[] {
    if (this.#home?.health.isOpen === false) {
      // The usual case, many times a second.
      return this.#regions.some(({ health }) => health.isOpen) ? this.#byHealth() : this.#regions;
    }
    return this.#byHealth();
  }

  #byHealth(): readonly SigningRegion[] {
    return [
      ...this.#regions.filter(({ health }) => !health.isOpen),
      ...this.#regions.filter(({ health }) => health.isOpen),
    ];
  }

  /** One timer for all: each signature's own would cost more than it is worth. */
  async #watch(): Promise<void> {
    const { clock } = this.#options;
    this.#isWatching = true;
    for (let [oldest] = this.#races; oldest !== undefined; [oldest] = this.#races) {
      const leftMs = oldest.startedAt + oldest.lateMs - clock.elapsedMs();
      if (leftMs > 0) await clock.sleep(leftMs);
      if (this.#races.delete(oldest)) oldest.hedge();
    }
    this.#isWatching = false;
  }

  #tell(region: string, isAnswering: boolean, reason: unknown): void {
    const { log, telemetry, home, failover } = this.#options;
    const isHome = region === home;
    if (isAnswering) {
      log.info(
        isHome ? "KMS answers again in this server's Region: signatures are asked for there" : "KMS answers again",
        {
          kms_region: region,
        },
      );
      return;
    }
    telemetry.count("region_failovers");
    log.warn(
      isHome
        ? "KMS fails in this server's Region: signatures are asked for in another Region until it answers again"
        : "KMS fails in a Region with replicas: signatures are not asked for there until it answers again",
      { kms_region: region, reason: explain(reason), ...(isHome ? { failover_regions: failover } : {}) },
    );
  }
}
