/**
 * The key itself: CreateKey within the ceilings, or a key that an earlier generation made in vain.
 *
 * CreateKey has no idempotency token, so it is sent once, never repeated, and never torn off: when the caller gives up
 * we still wait for KMS's answer, to know which key must be scheduled for deletion.
 */
import { keyManagerError, messageOf } from "../errors.ts";
import { type KeyType, keySpecOf } from "../key-type.ts";
import { type CreateKeyInput, isKmsError, type KeyMetadata } from "../ports.ts";
import type { Setup } from "../setup.ts";
import { type CreationCeiling, requireRoom } from "./creation-ceiling.ts";

/** One GenerateKey. */
export interface KeyGenerationRequest {
  readonly keyId: string;
  readonly keyType: KeyType;
  readonly aliasName: string;
  readonly signal: AbortSignal | undefined;
  readonly ceiling: CreationCeiling;
}

/** @throws KeyManagerError `INVALID_ARGUMENT` for a key id that does not fit into a tag */
export async function createKeyInput(
  { names, keyPolicy, tags: tagging, config }: Setup,
  { keyId, keyType }: KeyGenerationRequest,
): Promise<CreateKeyInput> {
  const tags = tagging.tagsFor(keyId);
  const description = names.descriptionFor(keyId);
  const input = { keySpec: keySpecOf(keyType), description, policy: await keyPolicy(), tags };
  return config.multiRegion.isOn ? { ...input, multiRegion: true } : input;
}

/** @throws KeyManagerError `RESOURCE_EXHAUSTED` */
function requireMayCreate(setup: Setup, { keyId, ceiling }: KeyGenerationRequest): void {
  const { telemetry, log, limits, ring, deletions, config } = setup;
  try {
    const liveKeys = { inUse: ring.entries.size, waiting: deletions.ownSize };
    requireRoom(liveKeys, ring.get(keyId) !== undefined, config.maxLiveKeys);
    ceiling.count(config.maxKeysCreatedPerHour);
  } catch (error) {
    telemetry.count("creation_ceiling_reached");
    limits.run("ceiling reached", (more) =>
      log.error("No more keys are created for now", { key_id: keyId, reason: messageOf(error), ...more }),
    );
    throw error;
  }
}

/** @throws KeyManagerError */
export async function createKey(
  input: CreateKeyInput,
  request: KeyGenerationRequest,
  setup: Setup,
): Promise<KeyMetadata> {
  const { kms, log, telemetry, limits, fleet } = setup;
  const { keyId } = request;
  requireMayCreate(setup, request);
  try {
    const created = await kms.createKey(input, fleet.throttlePatience);
    telemetry.count("keys_created");
    log.info("Key created", { key_arn: created.arn, key_id: keyId, request_id: created.requestId });
    return created;
  } catch (error) {
    if (isKmsError(error) && error.outcomeUnknown) {
      limits.run("ARN lost", (more) =>
        log.warn("KMS may have created a key whose ARN never arrived: without an alias, with this description", {
          key_id: keyId,
          description: input.description,
          reason: messageOf(error),
          ...more,
        }),
      );
    }
    throw keyManagerError("failed to create key", error);
  }
}

/**
 * A key that an earlier generation made with the very same request, that never got an alias, and that KMS has not yet
 * let us schedule for deletion: while deletions fail, one failing generation after the other must not add to them.
 *
 * @returns the key, or the ARN of one that turns out to be of no use
 */
export async function reclaimKey(
  purpose: string,
  { keyId, signal }: KeyGenerationRequest,
  { kms, deletions, log, telemetry }: Setup,
): Promise<KeyMetadata | { readonly uselessArn: string } | undefined> {
  const keyArn = deletions.reclaim(purpose, kms);
  if (keyArn === undefined) return undefined;
  try {
    const key = await kms.describeKey(keyArn, { signal });
    if (key.keyState === "Enabled") {
      telemetry.count("keys_reused");
      log.info("Using the key of a generation that failed", { key_arn: keyArn, key_id: keyId });
      return key;
    }
  } catch (error) {
    log.debug("Cannot tell whether a key can be used after all", { key_arn: keyArn, reason: messageOf(error) });
  }
  return { uselessArn: keyArn };
}
