/** From a command's configuration to the inventory that it means. */
import type { InventoryOptions } from "../../key-manager/inventory/inventory.ts";
import { maxMemberLooks } from "../../key-manager/inventory/member-looks.ts";
import type { Sight } from "../../key-manager/inventory/members.ts";
import type { KmsClient, RegionClients, TaggingClient } from "../../key-manager/ports.ts";
import type { CommandConfiguration } from "../configuration/configuration.ts";
import { systemClock } from "../system-clock.ts";

const dayMs = 86_400_000;
/** Of `aws_kms`, for keys of the older plugin, which has none. */
const defaults = { staleAliasThresholdMs: 14 * dayMs, staleKeyThresholdMs: 2 * dayMs, pruneAmbiguousKeys: false };

export interface InventoryClients {
  readonly kms: KmsClient;
  readonly tagging: TaggingClient;
  readonly inRegion: (region: string) => RegionClients;
}

/** Whether keys' members in other Regions are looked at. */
export interface MembersChoice {
  /** `auto`, the default: up to 5,000 calls. */
  readonly replicas?: "auto" | "all" | "none" | undefined;
  /** What was seen in other Regions of the same run. */
  readonly known?: Map<string, Sight> | undefined;
}

/** The Regions that the configuration's server looks after, its own among them; none without `replica_regions`. */
export function lookedAfterBy({ config }: CommandConfiguration): readonly string[] {
  const { replicaRegions } = config.multiRegion;
  return replicaRegions.length === 0 ? [] : [config.region, ...replicaRegions];
}

export function membersOf(
  configuration: CommandConfiguration,
  { inRegion }: Pick<InventoryClients, "inRegion">,
  { replicas = "auto", known }: MembersChoice = {},
): NonNullable<InventoryOptions["members"]> | undefined {
  if (replicas === "none") return undefined;
  return {
    kmsIn: (region) => inRegion(region).kms,
    lookedAfter: lookedAfterBy(configuration),
    maxLooks: replicas === "all" ? Number.POSITIVE_INFINITY : maxMemberLooks,
    known,
  };
}

/** @param clients of the configured Region, or of `region` */
export function inventoryOf(
  configuration: CommandConfiguration,
  { kms, tagging }: Pick<InventoryClients, "kms" | "tagging">,
  more: Partial<
    Pick<InventoryOptions, "region" | "callsPerSecond" | "nameless" | "foreign" | "members" | "signal">
  > = {},
): InventoryOptions {
  const { config, allNames: names, trustDomain } = configuration;
  const { upkeep, tagBasedKeyDiscovery } = config;
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
    lookedAfter: lookedAfterBy(configuration),
    ...(tagBasedKeyDiscovery && trustDomain !== undefined ? { tags: { tagging, trustDomain } } : {}),
    ...more,
  };
}
