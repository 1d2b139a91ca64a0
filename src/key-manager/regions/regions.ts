/** The Regions of one configuration: where the keys are, where they have replicas, where else signatures are asked for. */
import type { KeyManagerConfig } from "../config.ts";
import type { KmsClient, RegionClients } from "../ports.ts";

export interface Regions {
  /** Of this server. */
  readonly home: string;
  /** Those whose replicas this server makes, refreshes and schedules for deletion. */
  readonly replicas: readonly string[];
  /** Those that this server schedules members of multi-Region keys for deletion in: its own, and {@link replicas} if it has any. */
  readonly lookedAfter: readonly string[];
  /** Those that are asked for signatures when the home Region fails, the first choice first. */
  readonly failover: readonly string[];
  /** @returns undefined for a Region that the configuration does not name */
  kmsIn(region: string): KmsClient | undefined;
}

/** The clients that there are. */
export interface ClientsOfRegions {
  readonly kms: KmsClient;
  readonly inRegion?: (region: string) => RegionClients;
}

export function regionsOf(
  { region: home, multiRegion }: Pick<KeyManagerConfig, "region" | "multiRegion">,
  { kms, inRegion }: ClientsOfRegions,
): Regions {
  const replicas = inRegion === undefined ? [] : multiRegion.replicaRegions;
  const failover = inRegion === undefined ? [] : multiRegion.failoverRegions;
  return {
    home,
    replicas,
    lookedAfter: replicas.length === 0 ? [] : [home, ...replicas],
    failover,
    kmsIn(region) {
      if (region === home) return kms;
      return replicas.includes(region) || failover.includes(region) ? inRegion?.(region).kms : undefined;
    },
  };
}
