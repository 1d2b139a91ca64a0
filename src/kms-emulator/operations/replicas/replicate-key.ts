/** ReplicateKey: the same key in another Region. */
import { AwsException, invalid } from "../../exceptions.ts";
import type { OperationContext } from "../../framework/context.ts";
import { kmsOperation } from "../../framework/kms-operation.ts";
import { keyArn, partitionOf } from "../../identifiers.ts";
import type { ReplicateKeyRequest } from "../../model/kms-types.gen.ts";
import { policyTextOf } from "../../policy/default-key-policy.ts";
import { arnOf, type KeyRecord, type MultiRegionSet, type Tag, versionsOf } from "../../state/records.ts";
import { keyMetadata } from "../key-metadata.ts";
import { requireRoomForKey } from "../key-quota.ts";
import { requireCustomerKey } from "../key-reference.ts";
import { requireState } from "../key-state.ts";
import { mergeTags, readTags, requestTagConditions } from "../tags/tag-rules.ts";

/** The set of a key that is its primary; throws UnsupportedOperationException for any other key. */
export function requirePrimary(context: OperationContext, key: KeyRecord): MultiRegionSet {
  const set = key.isMultiRegion ? context.view.multiRegionSet(key.keyId) : undefined;
  if (set?.primaryRegion === key.region) return set;
  throw new AwsException("UnsupportedOperationException", `${arnOf(key)} is not a multi-region primary key.`);
}

function requireFreeRegion(key: KeyRecord, set: MultiRegionSet, region: string): void {
  if (partitionOf(region) !== partitionOf(key.region)) {
    throw invalid(`Region ${region} is not in the same partition as ${key.region}.`); // text [I]
  }
  if (region !== set.primaryRegion && !set.replicaRegions.includes(region)) return;
  throw new AwsException("AlreadyExistsException", `${keyArn(key.account, region, key.keyId)} already exists.`); // text [I]
}

/** Making the replica is a CreateKey in its Region. */
function requireAccess(context: OperationContext, replicaRegion: string, tags: readonly Tag[]): void {
  const request = { resource: "*", conditions: requestTagConditions(tags) };
  context.access.require(context.caller, replicaRegion, { action: "kms:CreateKey", ...request });
  if (tags.length === 0) return;
  context.access.require(context.caller, replicaRegion, { action: "kms:TagResource", ...request });
}

/** Imported material is imported into each member by itself; of the rest, all members are one key. */
function sharedOf(key: KeyRecord): Partial<KeyRecord> {
  const versions = versionsOf(key).map(({ validToMs: _, ...version }) => ({ ...version, isPresent: false }));
  if (key.origin === "EXTERNAL") return { origin: key.origin, materialId: "", versions };
  return {
    ...(key.versions === undefined ? {} : { versions: key.versions }),
    ...(key.rotation === undefined ? {} : { rotation: key.rotation }),
  };
}

function replicaOf(
  context: OperationContext,
  key: KeyRecord,
  { ReplicaRegion, Description, Policy }: ReplicateKeyRequest,
  tags: readonly Tag[],
): KeyRecord {
  const nowMs = context.clock();
  return {
    account: key.account,
    region: ReplicaRegion,
    keyId: key.keyId,
    createdAtMs: nowMs,
    description: Description ?? "",
    spec: key.spec,
    usage: key.usage,
    keyManager: "CUSTOMER",
    state: "Creating",
    dueAtMs: nowMs + context.transitionMs,
    isMultiRegion: true,
    materialId: key.materialId,
    ...sharedOf(key),
    ...(Policy === undefined ? {} : { policy: Policy }),
    tags,
    wasTagged: tags.length > 0,
  };
}

export const replicateKey = kmsOperation({
  name: "ReplicateKey",
  run(context, input) {
    const { account } = context;
    const region = input.ReplicaRegion;
    const key = requireCustomerKey(context, input.KeyId, {
      action: "kms:ReplicateKey",
      conditions: { "kms:ReplicaRegion": region },
    });
    const set = requirePrimary(context, key);
    requireState("ReplicateKey", key);
    requireFreeRegion(key, set, region);
    const tags = mergeTags(context, [], readTags(input.Tags ?? []));
    requireAccess(context, region, tags);
    if (input.Policy !== undefined) {
      const check = { document: input.Policy, bypassLockoutCheck: input.BypassPolicyLockoutSafetyCheck ?? false };
      context.access.checkKeyPolicy(context.caller, region, { ...check, keyArn: keyArn(account, region, key.keyId) });
    }
    requireRoomForKey(context, region);
    const replica = replicaOf(context, key, input, tags);
    const extended = { ...set, replicaRegions: [...set.replicaRegions, region] };
    context.commit({ kind: "put-key", key: replica }, { kind: "put-set", set: extended });
    const ReplicaTags = tags.map((tag) => ({ TagKey: tag.key, TagValue: tag.value }));
    return {
      ReplicaKeyMetadata: keyMetadata(replica, extended),
      ReplicaPolicy: policyTextOf(replica),
      ...(input.Tags === undefined ? {} : { ReplicaTags }),
    };
  },
});
