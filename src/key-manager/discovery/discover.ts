/** Discovery as configured: by alias or by tags. */

import type { KeyManagerConfig } from "../config.ts";
import type { RecentKey } from "../keys/key-ring.ts";
import type { Clock, KmsClient, Logger, TaggingClient } from "../ports.ts";
import type { Preparation } from "../setup.ts";
import { freshTagMsOf } from "../tags/spire-tags.ts";
import { discoverByAlias } from "./alias-discovery.ts";
import { waitForCreating } from "./creating-keys.ts";
import { discoverElsewhere, isOutage, type OtherRegion } from "./discover-elsewhere.ts";
import { keepRecentKeys } from "./keep-recent-keys.ts";
import { type DiscoveredKeys, reportUnusableKeys } from "./key-discovery.ts";
import { discoverByTags } from "./tag-discovery.ts";

export interface DiscoverOptions {
  readonly config: KeyManagerConfig;
  readonly preparation: Preparation;
  readonly kms: KmsClient;
  readonly tagging: TaggingClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal | undefined;
  /** Keys that this process has just made. */
  readonly recent: readonly RecentKey[];
  /** Where to look instead when KMS does not answer here. */
  readonly others: readonly OtherRegion[];
}

/**
 * Looks for the keys at home; in other Regions when KMS does not answer there.
 *
 * @throws KeyManagerError
 */
export async function discoverKeys(options: DiscoverOptions): Promise<DiscoveredKeys> {
  const { config, preparation, log, signal, others } = options;
  try {
    return await discoverAtHome(options);
  } catch (error) {
    signal?.throwIfAborted();
    if (others.length === 0 || !isOutage(error)) throw error;
    return discoverElsewhere(error, { home: config.region, others, names: preparation.names, log, signal });
  }
}

/** Keys that KMS was still making, and that are ready by now, beside the others. */
async function withCreated(found: DiscoveredKeys, options: DiscoverOptions): Promise<DiscoveredKeys> {
  const { kms, clock, log, signal, preparation } = options;
  const ready = await waitForCreating(found.unusable, { kms, names: preparation.names, clock, log, signal });
  if (ready.length === 0) return found;
  const created = new Map(ready.map((entry) => [entry.keyId, entry]));
  const names = new Set(ready.map(({ aliasName }) => aliasName));
  return {
    ...found,
    entries: new Map([...created, ...found.entries]),
    unusable: found.unusable.filter(({ aliasName }) => !names.has(aliasName)),
  };
}

async function discoverAtHome(options: DiscoverOptions): Promise<DiscoveredKeys> {
  const { config, preparation, kms, tagging, clock, log, signal, recent } = options;
  const { names, identity } = preparation;
  const context = { kms, names, log, signal };
  const shown =
    config.tagBasedKeyDiscovery && identity !== undefined
      ? await discoverByTags({
          ...context,
          tagging,
          identity,
          clock,
          freshTagMs: freshTagMsOf(config.upkeep?.aliasRefreshIntervalMs ?? 0),
        })
      : await discoverByAlias(context);
  const found = await keepRecentKeys(await withCreated(shown, options), recent, context);
  reportUnusableKeys(found.unusable, config.strictKeyDiscovery, log);
  for (const { keyId, keyArn, aliasName } of found.entries.values()) {
    log.debug("Key loaded", { key_id: keyId, key_arn: keyArn, alias_name: aliasName });
  }
  return found;
}
