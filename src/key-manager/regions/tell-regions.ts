/** What is to be said at Configure about the Regions that keys are in: replicas that are not looked after any more, above all. */
import type { KeyEntry } from "../keys/key-entry.ts";
import { arnInRegion } from "../keys/multi-region-key.ts";
import type { LogFields, Logger } from "../ports.ts";
import type { Regions } from "./regions.ts";

export interface KeysAndRegions {
  readonly config: {
    readonly pendingWindowInDays: number;
    readonly multiRegion: { readonly isOn: boolean };
  };
  readonly regions: Regions;
  readonly ring: { readonly entries: ReadonlyMap<string, KeyEntry> };
  readonly log: Logger;
}

const maxTold = 10;

/** Keys by each Region that has a replica of them and is neither ours nor in `replica_regions`. */
function unmanaged({ regions, ring }: KeysAndRegions): ReadonlyMap<string, readonly KeyEntry[]> {
  const found = new Map<string, KeyEntry[]>();
  for (const entry of ring.entries.values()) {
    const { multiRegion } = entry;
    for (const region of [...(multiRegion?.replicaRegions ?? []), multiRegion?.primaryRegion ?? regions.home]) {
      if (region === regions.home || region === multiRegion?.primaryRegion) continue;
      if (!regions.replicas.includes(region)) found.set(region, [...(found.get(region) ?? []), entry]);
    }
  }
  return found;
}

function fieldsOf(region: string, entries: readonly KeyEntry[]): LogFields {
  return {
    replica_region: region,
    keys: entries.length,
    replica_arns: entries.slice(0, maxTold).map(({ keyArn }) => arnInRegion(keyArn, region)),
  };
}

/** Whether the primary keys of this server are in another Region: then it is a standby. */
const primaryElsewhere = ({ regions, ring }: KeysAndRegions): readonly string[] => [
  ...new Set(
    [...ring.entries.values()].flatMap(({ multiRegion }) =>
      multiRegion?.isReplica && multiRegion.primaryRegion !== regions.home
        ? [multiRegion.primaryRegion ?? "unknown"]
        : [],
    ),
  ),
];

export function tellOfRegions(setup: KeysAndRegions): void {
  const { config, regions, log } = setup;
  const primaries = primaryElsewhere(setup);
  if (primaries.length > 0) {
    log.warn(
      "This server is a standby: the primary keys of its identity are in another Region. It signs and refreshes, and makes no new keys before it is promoted",
      {
        own_region: regions.home,
        primary_regions: primaries,
        remedy: `spire-aws-kms promote --region ${regions.home}`,
      },
    );
  }
  for (const [region, entries] of unmanaged(setup)) {
    const isExpected = config.multiRegion.isOn && regions.replicas.length === 0;
    if (isExpected) {
      log.info("Keys have replicas that this server does not look after", fieldsOf(region, entries));
      continue;
    }
    const window = config.pendingWindowInDays;
    log.warn(
      "Keys have replicas in a Region that replica_regions does not name: they are not refreshed, and they keep their keys from being deleted after a rotation",
      {
        ...fieldsOf(region, entries),
        remedy: `add ${region} to replica_regions, or remove them: for each alias, aws kms delete-alias --region ${region} --alias-name ALIAS; for each replica, aws kms schedule-key-deletion --region ${region} --key-id REPLICA_ARN --pending-window-in-days ${window}`,
        alias_names: entries.slice(0, maxTold).map(({ aliasName }) => aliasName),
      },
    );
  }
}

/** @param before the keys as another Region showed them */
export function tellOfHomecoming(before: ReadonlyMap<string, KeyEntry>, { regions, ring, log }: KeysAndRegions): void {
  for (const { keyId, keyArn } of before.values()) {
    const now = ring.entries.get(keyId);
    if (now?.keyArn === keyArn) continue;
    log.warn(
      "A key that was found in another Region is not the one in this server's Region: it had been replaced there, or is not there any more",
      { key_id: keyId, found_key_arn: keyArn, key_arn: now?.keyArn },
    );
  }
  log.info("KMS answers again in this server's Region: its keys were found there, and it makes keys again", {
    kms_region: regions.home,
    keys: ring.entries.size,
  });
}
