/**
 * Promotion: the primary keys of one identity are brought into one Region, so that the server there may make keys. A plan first,
 * which changes nothing; then UpdatePrimaryRegion for each key, asked in the Region of the present primary. Nothing but an
 * operator's command comes here.
 */
import { explain, KeyManagerError, messageOf } from "../errors.ts";
import { findKey } from "../keys/find-key.ts";
import { arnInRegion, isSameKey } from "../keys/multi-region-key.ts";
import type { KeyNames } from "../names.ts";
import { type AliasListEntry, type Clock, isKmsError, type KeyMetadata, type KmsClient } from "../ports.ts";

export interface PromotionContext {
  /** Where the primary keys are to be. */
  readonly region: string;
  readonly kmsIn: (region: string) => KmsClient;
  readonly names: KeyNames;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

export interface KeyToPromote {
  /** SPIRE key id. */
  readonly keyId: string;
  readonly aliasName: string;
  /** In the Region that is promoted. */
  readonly keyArn: string;
  /** Where the primary is now. */
  readonly primaryRegion: string;
}

export interface PromotionPlan {
  readonly promote: readonly KeyToPromote[];
  /** Aliases of keys whose primary is in the Region already. */
  readonly primary: readonly string[];
  /** Aliases of single-Region keys, which need no promotion. */
  readonly singleRegion: readonly string[];
  /** Why keys cannot be promoted. */
  readonly refusals: readonly string[];
  /** What would be left behind. */
  readonly warnings: readonly string[];
}

interface OwnKey {
  readonly aliasName: string;
  readonly key: KeyMetadata;
}

async function ownKeys({ region, kmsIn, names, signal }: PromotionContext): Promise<readonly OwnKey[]> {
  const kms = kmsIn(region);
  const own: AliasListEntry[] = [];
  for await (const { items } of kms.listAliases(undefined, { signal })) {
    own.push(...items.filter(({ aliasName }) => names.isOwnAlias(aliasName)));
  }
  const found: OwnKey[] = [];
  for (const { aliasName, targetKeyId } of own) {
    const key = targetKeyId === undefined ? undefined : await findKey(kms, targetKeyId, { signal });
    if (key !== undefined && names.trustDomainOf(key.description) !== "foreign") found.push({ aliasName, key });
  }
  return found;
}

const unreachable = (primaryRegion: string, region: string, error: unknown): string =>
  `KMS in ${primaryRegion}, where the primary keys are, does not answer (${messageOf(error)}), and only it can hand them over. Until it does, the server in ${region} can make keys of its own with allow_standby_rotation = true`;

/** What speaks against it in the Region of the primary; a warning where the server there has rotated since. */
async function lookAtPrimary(
  key: KeyToPromote,
  { kmsIn, region, signal }: PromotionContext,
): Promise<{ readonly refusal?: string; readonly warning?: string }> {
  const kms = kmsIn(key.primaryRegion);
  const arn = arnInRegion(key.keyArn, key.primaryRegion);
  try {
    const primary = await findKey(kms, arn, { signal });
    if (primary?.keyState !== "Enabled")
      return { refusal: `the primary ${arn} is ${primary?.keyState ?? "not there"}` };
    const target = await findKey(kms, key.aliasName, { signal });
    if (target === undefined || isSameKey(target.arn, arn)) return {};
    return {
      warning: `${key.aliasName} in ${key.primaryRegion} stands on ${target.arn}, made ${target.creationDate?.toISOString() ?? "at an unknown time"}, which has no replica here: the server there has rotated, and ${region} goes on with the key before`,
    };
  } catch (error) {
    if (isKmsError(error, "UNAVAILABLE", "TIMEOUT")) return { refusal: unreachable(key.primaryRegion, region, error) };
    if (isKmsError(error)) return { refusal: `${arn}: ${explain(error)}` };
    throw error;
  }
}

/** @throws KmsError when KMS in the Region that is promoted refuses or cannot be reached */
export async function planPromotion(context: PromotionContext): Promise<PromotionPlan> {
  const { names, region } = context;
  const promote: KeyToPromote[] = [];
  const primary: string[] = [];
  const singleRegion: string[] = [];
  const refusals = new Set<string>();
  const warnings: string[] = [];
  for (const { aliasName, key } of await ownKeys(context)) {
    const { multiRegion, arn, keyState, description } = key;
    if (multiRegion === undefined) singleRegion.push(aliasName);
    else if (!multiRegion.isReplica) primary.push(aliasName);
    else if (multiRegion.primaryRegion === undefined) refusals.add(`KMS does not tell where the primary of ${arn} is`);
    else if (keyState !== "Enabled") refusals.add(`the replica ${arn} behind ${aliasName} in ${region} is ${keyState}`);
    else {
      const keyId = names.keyIdOf(aliasName, description);
      const candidate = { keyId, aliasName, keyArn: arn, primaryRegion: multiRegion.primaryRegion };
      const { refusal, warning } = await lookAtPrimary(candidate, context);
      if (warning !== undefined) warnings.push(warning);
      if (refusal === undefined) promote.push(candidate);
      else refusals.add(refusal);
    }
  }
  return { promote, primary, singleRegion, refusals: [...refusals], warnings };
}

/** A change of the primary takes seconds, and may take a minute to show. */
const patienceMs = 120_000;
const pollMs = 1_000;

/**
 * Makes one replica the primary, and waits until KMS shows it.
 *
 * @throws KmsError when KMS refuses; KeyManagerError when it does not show it in time, though it may be done
 */
export async function promoteKey(
  { keyArn, primaryRegion }: KeyToPromote,
  { region, kmsIn, clock, signal }: PromotionContext,
): Promise<void> {
  const begunAt = clock.elapsedMs();
  await kmsIn(primaryRegion).updatePrimaryRegion(arnInRegion(keyArn, primaryRegion), region, { signal });
  for (;;) {
    const key = await findKey(kmsIn(region), keyArn, { signal });
    if (key?.multiRegion?.isReplica === false && key.keyState === "Enabled") return;
    if (clock.elapsedMs() - begunAt > patienceMs) {
      throw new KeyManagerError(
        "DEADLINE_EXCEEDED",
        `KMS does not show ${keyArn} as the primary key yet; run the same command again to see how it stands`,
      );
    }
    await clock.sleep(pollMs, signal);
  }
}
