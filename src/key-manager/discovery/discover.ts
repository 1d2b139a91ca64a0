/** Discovery as configured: by alias or by tags. */

import type { KeyManagerConfig } from "../config.ts";
import type { RecentKey } from "../keys/key-ring.ts";
import type { Clock, KmsClient, Logger, TaggingClient } from "../ports.ts";
import type { Preparation } from "../setup.ts";
import { freshTagMsOf } from "../tags/spire-tags.ts";
import { discoverByAlias } from "./alias-discovery.ts";
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
}

/** @throws KeyManagerError */
export async function discoverKeys(options: DiscoverOptions): Promise<DiscoveredKeys> {
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
  const found = await keepRecentKeys(shown, recent, context);
  reportUnusableKeys(found.unusable, config.strictKeyDiscovery, log);
  for (const { keyId, keyArn, aliasName } of found.entries.values()) {
    log.debug("Key loaded", { key_id: keyId, key_arn: keyArn, alias_name: aliasName });
  }
  return found;
}
