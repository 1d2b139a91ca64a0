/** CreateKey: makes a key, with its policy and tags. */
import { storeMaterial } from "../../crypto/key-material.ts";
import type { OperationContext } from "../../framework/context.ts";
import { kmsOperation } from "../../framework/kms-operation.ts";
import { keyArn } from "../../identifiers.ts";
import type { CreateKeyRequest } from "../../model/kms-types.gen.ts";
import { specValues } from "../../policy/condition-context.ts";
import type { KeyRecord, MultiRegionSet, Mutation, Tag } from "../../state/records.ts";
import { keyMetadata } from "../key-metadata.ts";
import { requireRoomForKey } from "../key-quota.ts";
import { mergeTags, readTags, requestTagConditions } from "../tags/tag-rules.ts";
import { chooseOrigin, chooseSpec } from "./key-choice.ts";

function requireAccess(
  context: OperationContext,
  tags: readonly Tag[],
  conditions: Readonly<Record<string, string | undefined>>,
): void {
  const request = { resource: "*", conditions: { ...conditions, ...requestTagConditions(tags) } };
  context.access.require(context.caller, context.region, { action: "kms:CreateKey", ...request });
  if (tags.length === 0) return;
  context.access.require(context.caller, context.region, { action: "kms:TagResource", ...request });
}

const newKeyId = (context: OperationContext, isMultiRegion: boolean): string =>
  isMultiRegion ? `mrk-${context.random.hex(16)}` : context.random.uuid();

type Chosen = Pick<KeyRecord, "keyId" | "spec" | "usage" | "isMultiRegion" | "tags">;

/** A key for imported material waits for it. */
const newKey = (
  context: OperationContext,
  chosen: Chosen,
  materialId: string | undefined,
  { Description, Policy }: CreateKeyRequest,
): KeyRecord => ({
  account: context.account,
  region: context.region,
  ...chosen,
  ...(materialId === undefined ? { origin: "EXTERNAL", versions: [] } : {}),
  materialId: materialId ?? "",
  createdAtMs: context.clock(),
  description: Description ?? "",
  keyManager: "CUSTOMER",
  state: materialId === undefined ? "PendingImport" : "Enabled",
  ...(Policy === undefined ? {} : { policy: Policy }),
  wasTagged: chosen.tags.length > 0,
});

function checkPolicy(context: OperationContext, keyId: string, input: CreateKeyRequest): void {
  if (input.Policy === undefined) return;
  context.access.checkKeyPolicy(context.caller, context.region, {
    document: input.Policy,
    bypassLockoutCheck: input.BypassPolicyLockoutSafetyCheck ?? false,
    keyArn: keyArn(context.account, context.region, keyId),
  });
}

export const createKey = kmsOperation({
  name: "CreateKey",
  async run(context, input) {
    const { spec, usage } = chooseSpec(input);
    const origin = chooseOrigin(input);
    const { account, region } = context;
    const isMultiRegion = input.MultiRegion ?? false;
    const tags = mergeTags(context, [], readTags(input.Tags ?? []));
    requireAccess(context, tags, {
      ...specValues(spec, usage),
      "kms:KeyOrigin": origin,
      "kms:MultiRegion": String(isMultiRegion),
      "kms:BypassPolicyLockoutSafetyCheck": String(input.BypassPolicyLockoutSafetyCheck ?? false),
    });
    requireRoomForKey(context, region);
    const keyId = newKeyId(context, isMultiRegion);
    checkPolicy(context, keyId, input);
    const material = origin === "EXTERNAL" ? undefined : await context.materials.create(spec);
    requireRoomForKey(context, region); // others may have been made while RSA material was generated
    const key = newKey(context, { keyId, spec, usage, isMultiRegion, tags }, material?.id, input);
    const set: MultiRegionSet | undefined = isMultiRegion
      ? { account, keyId, primaryRegion: region, replicaRegions: [] }
      : undefined;
    const mutations: Mutation[] = [];
    if (material) mutations.push({ kind: "put-material", material: storeMaterial(material) });
    if (set) mutations.push({ kind: "put-set", set });
    context.commit(...mutations, { kind: "put-key", key });
    return { KeyMetadata: keyMetadata(key, set) };
  },
});
