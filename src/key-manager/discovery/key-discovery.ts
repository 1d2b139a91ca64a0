/** What a way of finding keys is given and what it finds. */

import { KeyManagerError } from "../errors.ts";
import type { KeyEntries } from "../keys/key-entry.ts";
import type { KeyNames } from "../names.ts";
import type { AliasListEntry, Clock, KeyMetadata, KmsClient, Logger, TaggingClient } from "../ports.ts";
import type { TagIdentity } from "../tags/spire-tags.ts";

export interface DiscoveryContext {
  readonly kms: Pick<KmsClient, "listAliases" | "describeKey" | "getPublicKey">;
  readonly names: KeyNames;
  readonly log: Logger;
  readonly signal: AbortSignal | undefined;
}

/** A key that is ours by name and cannot be used. */
export interface UnusableKey {
  readonly aliasName: string;
  readonly keyArn: string | undefined;
  /** What is wrong and what to do about it. */
  readonly trouble: string;
  /** KMS is still making it, as it does with a replica for some seconds: it will be usable without an operator's doing. */
  readonly isCreating?: boolean | undefined;
}

export interface TagDiscoveryContext extends DiscoveryContext {
  readonly kms: KmsClient;
  readonly tagging: TaggingClient;
  readonly identity: TagIdentity;
  readonly clock: Clock;
  /** Tags of a server that runs in tag mode are not older than this. */
  readonly freshTagMs: number;
}

export interface DiscoveredKeys {
  readonly entries: KeyEntries;
  readonly unusable: readonly UnusableKey[];
  /** When KMS says the aliases were listed; undefined where it did not say, or none were listed. */
  readonly lookedAt?: Date | undefined;
  /** The aliases of the trust domain's servers; undefined where they were not listed. */
  readonly trustDomainAliases?: readonly AliasListEntry[];
  /** How long ago the least recently refreshed of the keys was refreshed, by what others see; 0 when that is not known. */
  readonly sinceRefreshMs: number;
  /** Further usable keys under an id that has its key already; tag mode only. */
  readonly duplicates?: readonly DuplicateKey[];
  /** Ids of keys in use that do not carry our tags yet; tag mode only. */
  readonly untagged?: ReadonlySet<string>;
  /** Keys out of use that a former process of this server could not schedule for deletion in time. */
  readonly reminded?: readonly KeyMetadata[];
  /** KMS does not answer in this server's Region, and these keys are what other Regions show of them. */
  readonly elsewhere?: FoundElsewhere | undefined;
}

export interface FoundElsewhere {
  /** Why they were not looked for at home. */
  readonly reason: unknown;
  /** The Regions that have shown a key. */
  readonly regions: readonly string[];
}

/** A usable key under an id for which another one was chosen. */
export interface DuplicateKey {
  readonly key: KeyMetadata;
  readonly chosen: KeyMetadata;
  /** Whether the id's alias stands on the chosen one; otherwise it was only the newest. */
  readonly isChosenByAlias: boolean;
}

/**
 * Decides what unusable keys mean: by default each is reported loudly and left out, so that one bad key does not stop
 * a certificate authority; with `strict_key_discovery` they fail Configure.
 *
 * @throws KeyManagerError `FailedPrecondition` naming every alias and key
 */
export function reportUnusableKeys(unusable: readonly UnusableKey[], strict: boolean, log: Logger): void {
  const describe = ({ aliasName, keyArn, trouble }: UnusableKey) =>
    `alias ${aliasName} (key ${keyArn ?? "unknown"}): ${trouble}`;
  if (strict && unusable.length > 0) {
    throw new KeyManagerError("FAILED_PRECONDITION", `found unusable SPIRE keys: ${unusable.map(describe).join("; ")}`);
  }
  for (const key of unusable) {
    // It is waited for.
    if (key.isCreating) continue;
    log.error("Found an unusable SPIRE key: it is left out and SPIRE will make a new one", {
      alias_name: key.aliasName,
      key_arn: key.keyArn,
      reason: key.trouble,
    });
  }
}
