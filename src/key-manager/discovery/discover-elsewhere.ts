/**
 * Finding this server's keys although KMS does not answer in its Region: by the aliases that it keeps in the Regions where it
 * asks for signatures meanwhile. Reads only.
 *
 * What is found there may be older than what is at home: a rotation may not have come there before KMS failed. Of what
 * several Regions show the newest key is taken, and the log says what stands on which date (docs/decisions/0037).
 */
import { explain, KeyManagerError } from "../errors.ts";
import type { KeyEntries, KeyEntry } from "../keys/key-entry.ts";
import { arnInRegion, isMultiRegionKey } from "../keys/multi-region-key.ts";
import type { KeyNames } from "../names.ts";
import { mapBounded } from "../pace/concurrency.ts";
import { isKmsError, type KmsClient, type Logger } from "../ports.ts";
import { byKeyId, examineAlias, listAliases } from "./alias-discovery.ts";
import type { DiscoveredKeys } from "./key-discovery.ts";

const concurrency = 16;

export interface OtherRegion {
  readonly region: string;
  readonly kms: Pick<KmsClient, "listAliases" | "describeKey" | "getPublicKey">;
}

export interface DiscoverElsewhereOptions {
  /** This server's Region. */
  readonly home: string;
  /** Those to look in. */
  readonly others: readonly OtherRegion[];
  readonly names: KeyNames;
  readonly log: Logger;
  readonly signal: AbortSignal | undefined;
}

/** A key as one Region shows it. */
interface Sighting {
  readonly region: string;
  readonly entry: KeyEntry;
  readonly createdAt: Date | undefined;
  readonly refreshedAt: Date | undefined;
}

interface LookAtRegion {
  readonly sightings: readonly Sighting[];
  /** Why nothing is known of the Region. */
  readonly failure?: unknown;
}

/** Whether KMS did not answer, or with a fault of its own; a denial or throttling is an answer. */
export function isOutage(error: unknown): boolean {
  const cause = error instanceof KeyManagerError ? error.cause : error;
  return isKmsError(cause, "UNAVAILABLE", "TIMEOUT") && cause.operation !== "credentials";
}

/** Why the key is not one that can be used from home; undefined when it can be. */
function whyNotAtHome({ keyArn, multiRegion }: KeyEntry, home: string): string | undefined {
  if (!isMultiRegionKey(keyArn) || multiRegion === undefined) return "it is a single-Region key";
  const members = [multiRegion.primaryRegion, ...multiRegion.replicaRegions];
  return members.includes(home) ? undefined : `it has no member in ${home}`;
}

/** The same key as this server has it at home. */
function asAtHome(entry: KeyEntry, home: string): KeyEntry {
  const { multiRegion, keyArn } = entry;
  const isReplica = multiRegion?.primaryRegion !== home;
  return {
    ...entry,
    keyArn: arnInRegion(keyArn, home),
    multiRegion: multiRegion === undefined ? undefined : { ...multiRegion, isReplica },
  };
}

async function look({ region, kms }: OtherRegion, options: DiscoverElsewhereOptions): Promise<readonly Sighting[]> {
  const { home, names, log, signal } = options;
  const { own } = await listAliases({ kms, names, log, signal });
  const findings = await mapBounded(own, concurrency, async (alias) => {
    const finding = await examineAlias(alias, { kms, names, signal });
    return finding === undefined ? [] : [{ finding, refreshedAt: alias.lastUpdatedDate }];
  });
  const sightings: Sighting[] = [];
  for (const { finding, refreshedAt } of findings.flat()) {
    const trouble = "unusable" in finding ? finding.unusable.trouble : whyNotAtHome(finding.entry, home);
    if (trouble !== undefined) {
      const { aliasName, keyArn } = "unusable" in finding ? finding.unusable : finding.entry;
      log.warn("A key of this server in another Region is left out", {
        alias_name: aliasName,
        key_arn: keyArn,
        found_in: region,
        reason: trouble,
      });
    } else if ("entry" in finding) {
      const { entry, createdAt } = finding;
      sightings.push({ region, entry: asAtHome(entry, home), createdAt, refreshedAt });
    }
  }
  const chosen = byKeyId(
    sightings.map(({ entry }) => entry),
    names,
    log,
  );
  return sightings.filter(({ entry }) => chosen.get(entry.keyId) === entry);
}

/** The newest key under each id. A replica is older than the key that took its place, wherever each of them is. */
function newestOf(sightings: readonly Sighting[], log: Logger): readonly Sighting[] {
  const newest = new Map<string, Sighting>();
  for (const sighting of sightings) {
    const { keyId, keyArn } = sighting.entry;
    const rival = newest.get(keyId);
    const isNewer = (rival?.createdAt?.getTime() ?? 0) < (sighting.createdAt?.getTime() ?? 0);
    const isOther = rival !== undefined && rival.entry.keyArn !== keyArn;
    if (isOther) {
      const [used, older] = isNewer ? [sighting, rival] : [rival, sighting];
      log.warn("Regions show different keys under one id: the newest is used", {
        key_id: keyId,
        key_arn: used.entry.keyArn,
        found_in: used.region,
        left_out: older.entry.keyArn,
        left_out_in: older.region,
      });
    }
    if (rival === undefined || (isOther && isNewer)) newest.set(keyId, sighting);
  }
  return [...newest.values()];
}

async function lookEverywhere(options: DiscoverElsewhereOptions): Promise<readonly LookAtRegion[]> {
  const { others, log, signal } = options;
  return Promise.all(
    others.map(async (other) => {
      try {
        return { sightings: await look(other, options) };
      } catch (error) {
        signal?.throwIfAborted();
        log.warn("Keys cannot be looked for in another Region", { kms_region: other.region, reason: explain(error) });
        return { sightings: [], failure: error };
      }
    }),
  );
}

/**
 * @param reason why KMS at home could not be asked
 * @throws the reason, with where else was looked, when no key is found
 */
export async function discoverElsewhere(reason: unknown, options: DiscoverElsewhereOptions): Promise<DiscoveredKeys> {
  const { home, others, log } = options;
  const looks = await lookEverywhere(options);
  const sightings = newestOf(
    looks.flatMap((seen) => seen.sightings),
    log,
  );
  if (sightings.length === 0) {
    if (!(reason instanceof KeyManagerError)) throw reason;
    const where = others.map(({ region }) => region).join(", ");
    const message = `${reason.message}; no key of this server that has a replica was found in ${where} either`;
    throw new KeyManagerError(reason.code, message, { cause: reason.cause });
  }
  const regions = [...new Set(sightings.map(({ region }) => region))];
  log.warn(
    "KMS does not answer in this server's Region: its keys were found in another one, and no key is made, refreshed or scheduled for deletion until it answers",
    {
      kms_region: home,
      reason: explain(reason),
      found_in: regions,
      keys: sightings.length,
      consequence:
        "keys without a replica there, single-Region keys among them, are missing; a key that was rotated and not replicated before KMS failed is there as it was before, and SPIRE does not use it",
    },
  );
  for (const { entry, region, createdAt, refreshedAt } of sightings) {
    log.info("Key found in another Region", {
      key_id: entry.keyId,
      key_arn: entry.keyArn,
      found_in: region,
      replica_created_at: createdAt?.toISOString(),
      alias_refreshed_at: refreshedAt?.toISOString(),
    });
  }
  const entries: KeyEntries = new Map(sightings.map(({ entry }) => [entry.keyId, entry]));
  return { entries, unusable: [], sinceRefreshMs: 0, elsewhere: { reason, regions } };
}
