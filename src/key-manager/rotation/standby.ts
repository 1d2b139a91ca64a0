/**
 * A standby: a server whose keys have their primary in another Region. It signs with its replicas. It makes no keys of its own
 * before an operator has promoted it: the server in the other Region may be active, and two that rotate the keys of one
 * identity take them away from each other (docs/decisions/0030).
 */
import { KeyManagerError, messageOf } from "../errors.ts";
import type { KeyEntry } from "../keys/key-entry.ts";
import type { KeyMetadata } from "../ports.ts";
import type { Setup } from "../setup.ts";

/** Whether the primary was in another Region when the key was last looked at. */
const wasReplica = ({ multiRegion }: KeyEntry): boolean => multiRegion?.isReplica === true;

/** Looks anew, for the server may have been promoted since. */
async function primaryRegionOf(entry: KeyEntry, { kms, ring, log }: Setup): Promise<string | undefined> {
  let key: KeyMetadata;
  try {
    key = await kms.describeKey(entry.keyArn);
  } catch (error) {
    log.debug("Cannot tell where the primary key is now", { key_arn: entry.keyArn, reason: messageOf(error) });
    return entry.multiRegion?.primaryRegion ?? "another Region";
  }
  const { multiRegion } = key;
  if (ring.get(entry.keyId) === entry) ring.put({ ...entry, multiRegion });
  return multiRegion?.isReplica ? (multiRegion.primaryRegion ?? "another Region") : undefined;
}

/**
 * What was found in another Region may be older than what is at home, and nothing is built on it.
 *
 * @throws KeyManagerError `UNAVAILABLE` while KMS does not answer in this server's Region; SPIRE asks again
 */
export function requireHome({ isAway, config, limits, log }: Setup, keyId: string): void {
  if (!isAway) return;
  const message = `KMS has not answered in ${config.region} since this server was started: its keys were found in another Region, and none is made before they have been found in ${config.region}, which is tried again at least every 30 s`;
  limits.run("away", (more) => log.warn("No key is made now", { key_id: keyId, reason: message, ...more }));
  throw new KeyManagerError("UNAVAILABLE", message);
}

/**
 * @throws KeyManagerError `FAILED_PRECONDITION` on a standby; `UNAVAILABLE` while it is not known whether it is one
 */
export async function requireMayMakeKeys(setup: Setup, keyId: string): Promise<void> {
  const { ring, config, limits, log, awaited } = setup;
  if (config.multiRegion.makesKeysOnStandby) return;
  if (awaited.size > 0) {
    throw new KeyManagerError(
      "UNAVAILABLE",
      `KMS is still making keys of this server (${[...awaited].join(", ")}): no other is made before they are ready; try again`,
    );
  }
  const own = ring.get(keyId);
  // A key under an id of its own tells; for a new id all others do.
  const asked = own === undefined ? [...ring.entries.values()].filter(wasReplica) : [own].filter(wasReplica);
  for (const entry of asked) {
    const region = await primaryRegionOf(entry, setup);
    if (region === undefined) continue;
    const message = `this server is a standby: the primary of ${entry.keyArn} is in ${region}, and a key made here would compete with those of the server there. If that server has ended, promote this one (spire-aws-kms promote --region ${config.region}); while KMS in ${region} cannot be reached, set allow_standby_rotation = true`;
    limits.run("standby", (more) =>
      log.warn("A standby was asked for a new key", { key_id: keyId, reason: message, ...more }),
    );
    throw new KeyManagerError("FAILED_PRECONDITION", message);
  }
}
