/** From a command's configuration to the inventory that it means. */
import type { InventoryOptions } from "../../key-manager/inventory/inventory.ts";
import type { KmsClient, TaggingClient } from "../../key-manager/ports.ts";
import type { CommandConfiguration } from "../configuration/configuration.ts";
import { systemClock } from "../system-clock.ts";

const dayMs = 86_400_000;
/** Of `aws_kms`, for keys of the older plugin, which has none. */
const defaults = { staleAliasThresholdMs: 14 * dayMs, staleKeyThresholdMs: 2 * dayMs, pruneAmbiguousKeys: false };

export interface InventoryClients {
  readonly kms: KmsClient;
  readonly tagging: TaggingClient;
}

/** @param clients of the configured Region, or of `region` */
export function inventoryOf(
  configuration: CommandConfiguration,
  { kms, tagging }: InventoryClients,
  more: Partial<Pick<InventoryOptions, "region" | "callsPerSecond" | "nameless" | "foreign" | "signal">> = {},
): InventoryOptions {
  const { config, allNames: names, trustDomain } = configuration;
  const { upkeep, tagBasedKeyDiscovery } = config;
  const { replicaRegions } = config.multiRegion;
  const { staleAliasThresholdMs, staleKeyThresholdMs, pruneAmbiguousKeys } = upkeep ?? defaults;
  return {
    kms,
    clock: systemClock,
    region: config.region,
    names,
    ownServerId: configuration.plugin === "kms" ? configuration.config.keyPrefix : configuration.serverId,
    staleAliasMs: staleAliasThresholdMs,
    staleKeyMs: staleKeyThresholdMs,
    isPruned: upkeep !== undefined,
    prunesAmbiguous: pruneAmbiguousKeys,
    lookedAfter: replicaRegions.length === 0 ? [] : [config.region, ...replicaRegions],
    ...(tagBasedKeyDiscovery && trustDomain !== undefined ? { tags: { tagging, trustDomain } } : {}),
    ...more,
  };
}
