/** What the tags of this trust domain's keys say, for scans that go by aliases; known in tag mode only. */
import type { TaggingClient } from "../../ports.ts";
import { readSpireTags, type SpireTags, type TagIdentity, trustDomainFilter } from "../../tags/spire-tags.ts";

export interface TagsOfTrustDomainOptions {
  readonly tagging: TaggingClient;
  readonly tags: { readonly identity: TagIdentity | undefined };
}

export class TagsOfTrustDomain {
  readonly #options: TagsOfTrustDomainOptions;
  #tags: ReadonlyMap<string, SpireTags> = new Map();

  constructor(options: TagsOfTrustDomainOptions) {
    this.#options = options;
  }

  /** Reads them anew. @throws KmsError: without them nothing is pruned in tag mode */
  async read(signal: AbortSignal): Promise<void> {
    const { tagging, tags: own } = this.#options;
    if (own.identity === undefined) return;
    const found = new Map<string, SpireTags>();
    for await (const { items } of tagging.getResources([trustDomainFilter(own.identity.trustDomain)], { signal })) {
      for (const item of items) {
        const tags = readSpireTags(item);
        if (tags !== undefined) found.set(item.keyArn, tags);
      }
    }
    this.#tags = found;
  }

  /** Whether the key's tags name this trust domain. */
  has(keyArn: string): boolean {
    return this.#tags.has(keyArn);
  }

  /** Whether tags show that a server refreshes the key, whatever its alias shows. */
  isFresh(keyArn: string, now: Date, thresholdMs: number): boolean {
    const tags = this.#tags.get(keyArn);
    if (tags?.lastUpdate === undefined || !tags.active) return false;
    return now.getTime() - tags.lastUpdate.getTime() < thresholdMs;
  }
}
