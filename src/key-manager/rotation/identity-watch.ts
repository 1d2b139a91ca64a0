/**
 * Another process with our identity: a second server started with a copied `key_identifier_value`, or identifier file,
 * works on the same aliases, and each rotation of one takes the key away from the other.
 *
 * KMS tells neither who moved an alias nor from where. What it tells is that the alias stands elsewhere than we put it,
 * and since when (docs/decisions/0019).
 */
import { KeyManagerError } from "../errors.ts";
import type { KeyEntry } from "../keys/key-entry.ts";
import type { KeyMetadata } from "../ports.ts";
import type { Setup } from "../setup.ts";

/** An alias of ours that we did not put where it stands. */
export interface MovedAlias {
  readonly keyId: string;
  readonly aliasName: string;
  /** Where it stands. */
  readonly target: KeyMetadata;
  /** The key that we know under the id. */
  readonly known: KeyEntry | undefined;
}

/** When the alias was last pointed at the key; undefined where KMS does not say. */
async function movedAt({ aliasName, target }: MovedAlias, { kms }: Setup): Promise<Date | undefined> {
  try {
    for await (const { items } of kms.listAliases(target.keyId)) {
      const alias = items.find((item) => item.aliasName === aliasName);
      if (alias !== undefined) return alias.lastUpdatedDate;
    }
  } catch {
    // The time is worth one call, not a failure.
  }
  return undefined;
}

/** Whether one replica took the place of another whose primary is in the same Region: that is what a standby waits for. */
const isFromPrimary = ({ target: { multiRegion }, known }: MovedAlias): boolean =>
  multiRegion?.isReplica === true &&
  (known === undefined ||
    (known.multiRegion?.isReplica === true && known.multiRegion.primaryRegion === multiRegion.primaryRegion));

/**
 * Tells of an alias that another process has moved or made since our Configure, and counts it. What was moved before
 * then only shows late, and is no news.
 *
 * @returns whether another process is at work
 */
export async function watchIdentity(moved: MovedAlias, setup: Setup): Promise<boolean> {
  const { log, telemetry, configuredAt, processName, config } = setup;
  const { keyId, aliasName, target, known } = moved;
  if (isFromPrimary(moved)) {
    log.info("The server in the Region of the primary keys has rotated a key: this standby follows", {
      key_id: keyId,
      alias_name: aliasName,
      key_arn: target.arn,
      primary_region: target.multiRegion?.primaryRegion,
      replaced_key_arn: known?.keyArn,
    });
    return false;
  }
  const at = await movedAt(moved, setup);
  if (at !== undefined && at.getTime() < configuredAt.getTime()) return false;
  telemetry.count("identity_conflicts");
  log.error("Another process with this server's identity has moved or made an alias of this server", {
    key_id: keyId,
    alias_name: aliasName,
    key_arn: target.arn,
    key_created_at: target.creationDate?.toISOString(),
    moved_at: at?.toISOString(),
    own_key_arn: known?.keyArn,
    own_process: processName,
    own_configured_at: configuredAt.toISOString(),
    consequence: config.refuseSharedIdentity
      ? "this server keeps its key and makes no new one under this id (refuse_shared_identity)"
      : "this server uses that key from now on; if both processes go on, each rotation takes the key away from the other",
    remedy: `give each server a ${setup.names.setting} of its own; the UpdateAlias or CreateAlias event in CloudTrail names the principal and the address of the other process. A key that was replaced by mistake can be had back while it is pending deletion (aws kms cancel-key-deletion, enable-key)`,
  });
  return true;
}

/**
 * Looks at the alias before it is moved to a new key.
 *
 * @throws KeyManagerError `FAILED_PRECONDITION` with `refuse_shared_identity` when another process is at work
 */
export async function watchBeforeRotation(moved: MovedAlias, setup: Setup): Promise<void> {
  const isOther = await watchIdentity(moved, setup);
  if (!isOther || !setup.config.refuseSharedIdentity) return;
  throw new KeyManagerError(
    "FAILED_PRECONDITION",
    `another process with this server's identity has moved alias ${moved.aliasName} to ${moved.target.arn}; give each server a ${setup.names.setting} of its own, then restart this one (refuse_shared_identity)`,
  );
}
