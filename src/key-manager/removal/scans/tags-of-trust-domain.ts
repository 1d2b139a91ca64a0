/** What the tags of this trust domain's keys say, for the scans and for the looks at what they have found; known in tag mode only. */
import type { Clock, TaggingClient } from "../../ports.ts";
import { readSpireTags, type SpireTags, type TagIdentity, trustDomainFilter } from "../../tags/spire-tags.ts";

export interface TagsOfTrustDomainOptions {
  readonly tagging: TaggingClient;
  readonly clock: Clock;
  readonly tags: { readonly identity: TagIdentity | undefined };
}

/** Looks that come together share one reading, which is a page for each hundred keys. */
const maxAgeMs = 5_000;

export class TagsOfTrustDomain {
  readonly #options: TagsOfTrustDomainOptions;
  #tags: ReadonlyMap<string, SpireTags> = new Map();
  #readAtMs = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;

  constructor(options: TagsOfTrustDomainOptions) {
    this.#options = options;
  }

  /** By key ARN, as they were read last. */
  get all(): ReadonlyMap<string, SpireTags> {
    return this.#tags;
  }

  /** Reads them anew, unless that was done just now. @throws KmsError: without them nothing is pruned in tag mode */
  async read(signal: AbortSignal): Promise<void> {
    while (this.#reading !== undefined) await this.#reading.catch(() => undefined);
    const { identity } = this.#options.tags;
    if (identity === undefined || this.#options.clock.elapsedMs() - this.#readAtMs < maxAgeMs) return;
    this.#reading = this.#readNow(identity, signal).finally(() => {
      this.#reading = undefined;
    });
    await this.#reading;
  }

  async #readNow({ trustDomain }: TagIdentity, signal: AbortSignal): Promise<void> {
    const { tagging, clock } = this.#options;
    const startedAtMs = clock.elapsedMs();
    const found = new Map<string, SpireTags>();
    for await (const { items } of tagging.getResources([trustDomainFilter(trustDomain)], { signal })) {
      for (const item of items) {
        const tags = readSpireTags(item);
        if (tags !== undefined) found.set(item.keyArn, tags);
      }
    }
    this.#tags = found;
    this.#readAtMs = startedAtMs;
  }

  get(keyArn: string): SpireTags | undefined {
    return this.#tags.get(keyArn);
  }

  /** Whether tags show that a server refreshes the key, whatever its alias shows. */
  isFresh(keyArn: string, now: Date, thresholdMs: number): boolean {
    const tags = this.#tags.get(keyArn);
    if (tags?.lastUpdate === undefined || !tags.active) return false;
    return now.getTime() - tags.lastUpdate.getTime() < thresholdMs;
  }
}
