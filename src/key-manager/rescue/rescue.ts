/** Brings a key back that is scheduled for deletion: looks, plans, and takes the steps one by one. */
import { KeyManagerError, keyManagerError } from "../errors.ts";
import { findKey } from "../keys/find-key.ts";
import type { KeyNames } from "../names.ts";
import { type Clock, isKmsError, type KeyMetadata, type KmsClient, type OperatorClient } from "../ports.ts";
import { planRescue, type RescueFacts, type RescuePlan, type RescueStep, type WantedAlias } from "./rescue-plan.ts";

export interface RescueContext {
  readonly kms: Pick<KmsClient, "describeKey" | "listAliases" | "createAlias" | "updateAlias" | "tagResource">;
  readonly operator: Pick<OperatorClient, "cancelKeyDeletion" | "enableKey" | "listResourceTags">;
  readonly names: KeyNames;
  readonly clock: Clock;
  readonly isTagMode: boolean;
  /** The alias that the key shall have, by what is known of it. @throws KeyManagerError when it cannot be told */
  readonly wantedFor: (known: KnownKey) => WantedAlias;
}

/** What is known of a key that may tell which alias it had. */
export interface KnownKey {
  readonly key: KeyMetadata;
  readonly aliases: readonly string[];
  readonly tags: ReadonlyMap<string, string>;
}

export interface Rescue extends RescuePlan {
  readonly facts: RescueFacts;
}

/** Tags help to tell the alias; where they may not be listed it goes without. */
async function tagsOf(keyId: string, { operator }: RescueContext): Promise<ReadonlyMap<string, string>> {
  try {
    return await operator.listResourceTags(keyId);
  } catch (error) {
    if (isKmsError(error, "ACCESS_DENIED")) return new Map();
    throw error;
  }
}

/**
 * Looks at the key and plans. Changes nothing.
 *
 * @param keyName key id, key ARN, or alias
 * @throws KeyManagerError when there is no such key, or KMS refuses
 */
export async function lookForRescue(keyName: string, context: RescueContext): Promise<Rescue> {
  const { kms, names, clock, isTagMode, wantedFor } = context;
  try {
    const key = await findKey(kms, keyName);
    if (key === undefined) {
      throw new KeyManagerError(
        "NOT_FOUND",
        `there is no key ${keyName} in this account and Region; what KMS has deleted cannot be brought back`,
      );
    }
    const aliases: string[] = [];
    let now = clock.now();
    for await (const page of kms.listAliases(key.keyId)) {
      aliases.push(...page.items.map(({ aliasName }) => aliasName));
      now = page.serverTime ?? now;
    }
    const tags = await tagsOf(key.keyId, context);
    const wanted = wantedFor({ key, aliases, tags });
    const target = await findKey(kms, wanted.aliasName);
    const facts = { key, aliases, tags, wanted, target, now, isTagMode };
    return { facts, ...planRescue(facts, names) };
  } catch (error) {
    throw keyManagerError("failed to look at the key", error);
  }
}

const delaysMs = [200, 500, 1_000, 2_000, 4_000];

/** KMS may take a while to show a key as it is by now: what depends on the step before is tried again. */
async function eventually(step: () => Promise<unknown>, clock: Clock): Promise<void> {
  for (const delayMs of delaysMs) {
    try {
      await step();
      return;
    } catch (error) {
      if (!isKmsError(error, "INVALID_STATE", "NOT_FOUND")) throw error;
      await clock.sleep(delayMs);
    }
  }
  await step();
}

async function take(step: RescueStep, key: KeyMetadata, { kms, operator, clock }: RescueContext): Promise<void> {
  switch (step.kind) {
    case "cancel deletion":
      return operator.cancelKeyDeletion(key.arn);
    case "create alias":
      return eventually(() => kms.createAlias(step.aliasName, key.arn), clock);
    case "move alias": {
      const target = await findKey(kms, step.aliasName);
      if (target?.arn !== step.movedFrom) {
        throw new KeyManagerError(
          "FAILED_PRECONDITION",
          `alias ${step.aliasName} was moved in the meantime; look again`,
        );
      }
      return eventually(() => kms.updateAlias(step.aliasName, key.arn), clock);
    }
    case "tag":
      return eventually(() => kms.tagResource(key.arn, step.tags), clock);
    case "enable":
      return eventually(() => operator.enableKey(key.arn), clock);
  }
}

/**
 * Takes the steps.
 *
 * @param onTaken told of each step once it is done
 * @throws KeyManagerError at the first step that fails; what was done stays, and another run goes on from there
 */
export async function takeRescueSteps(
  { facts, steps }: Rescue,
  context: RescueContext,
  onTaken: (step: RescueStep) => void,
): Promise<void> {
  for (const step of steps) {
    try {
      await take(step, facts.key, context);
    } catch (error) {
      throw keyManagerError(`failed to ${step.kind} of key ${facts.key.arn}`, error);
    }
    onTaken(step);
  }
}
