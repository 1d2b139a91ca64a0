/**
 * A multi-Region key goes as a whole or not at all: the look at its other members, each in its own Region, before any of them is
 * scheduled for deletion.
 */
import type { DeletionRequest, KeyFacts, KeySetRequest } from "../deletions.ts";
import { arnInRegion, isMultiRegionKey, regionOfArn } from "../keys/multi-region-key.ts";
import { isPendingDeletion, type KeyMetadata, type KmsClient } from "../ports.ts";
import { keyFactsOf } from "./key-facts.ts";

/** A member still to be scheduled. */
export interface SetMember {
  readonly region: string;
  readonly keyArn: string;
  readonly kms: KmsClient;
}

/** Replicas go before the key itself if that is the primary; a primary in another Region goes after it. */
export interface MembersToGo {
  readonly before: readonly SetMember[];
  readonly after: readonly SetMember[];
}

export type SeenSet =
  | { readonly kind: "may go"; readonly members: MembersToGo }
  | { readonly kind: "spared" | "not yet"; readonly reason: string };

export const noMembers: MembersToGo = { before: [], after: [] };

/**
 * All Regions that may have a member. Those that the server looks after are asked whatever KMS shows of the set: a replica that
 * was made a moment ago may not be among what it shows.
 */
function regionsToAsk({ arn, multiRegion }: KeyMetadata, { regions }: KeySetRequest): readonly string[] {
  const { primaryRegion, replicaRegions = [] } = multiRegion ?? {};
  const shown = [...(primaryRegion === undefined ? [] : [primaryRegion]), ...replicaRegions];
  const own = regionOfArn(arn);
  return [...new Set([...regions.lookedAfter, ...shown])].filter((region) => region !== own);
}

async function lookAtMember(region: string, key: KeyMetadata, set: KeySetRequest, signal: AbortSignal) {
  const kms = set.regions.lookedAfter.includes(region) ? set.regions.kmsIn(region) : undefined;
  if (kms === undefined) return { spared: `it has a member in ${region}, which replica_regions does not name` };
  const keyArn = arnInRegion(key.arn, region);
  const facts: KeyFacts | undefined = await keyFactsOf(keyArn, kms, signal);
  if (facts === undefined || isPendingDeletion(facts.key)) return undefined;
  const why = await set.whyMemberStays(facts, { region, kms, signal });
  return why === undefined ? { member: { region, keyArn, kms } } : why;
}

/** @throws KmsError when KMS does not say in one of the Regions: then nothing is known */
export async function lookAtSet(
  { keyArn, set }: Pick<DeletionRequest, "keyArn" | "set">,
  key: KeyMetadata,
  signal: AbortSignal,
): Promise<SeenSet> {
  if (set === undefined || !isMultiRegionKey(keyArn)) return { kind: "may go", members: noMembers };
  const before: SetMember[] = [];
  const after: SetMember[] = [];
  for (const region of regionsToAsk(key, set)) {
    const seen = await lookAtMember(region, key, set, signal);
    if (seen === undefined) continue;
    if ("spared" in seen) return { kind: "spared", reason: seen.spared };
    if ("notYet" in seen) return { kind: "not yet", reason: seen.notYet };
    const isPrimary = key.multiRegion?.isReplica === true && key.multiRegion.primaryRegion === region;
    (isPrimary ? after : before).push(seen.member);
  }
  return { kind: "may go", members: { before, after } };
}
