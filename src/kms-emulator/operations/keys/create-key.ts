/** CreateKey: makes a key, with its policy and tags. */
import { storeMaterial } from "../../crypto/key-material.ts";
import { factsOf, type KeySpec, type KeyUsage } from "../../crypto/key-spec.ts";
import { AwsException, invalid } from "../../exceptions.ts";
import type { OperationContext } from "../../framework/context.ts";
import { operation } from "../../framework/operation.ts";
import { boolean, enumeration, optional, string, structure } from "../../framework/validation.ts";
import { keyArn } from "../../identifiers.ts";
import type { KeyRecord, MultiRegionSet, Tag } from "../../state/records.ts";
import { keyMetadata } from "../key-metadata.ts";
import {
  bypassLockoutCheck,
  description,
  keySpec,
  keyUsage,
  optionalPolicy,
  optionalTags,
} from "../request-members.ts";
import { mergeTags, readTags, requestTagConditions } from "../tags/tag-rules.ts";

const origins = ["AWS_KMS", "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"] as const;

interface Choice {
  readonly KeySpec: KeySpec | undefined;
  readonly CustomerMasterKeySpec: KeySpec | undefined;
  readonly KeyUsage: KeyUsage | undefined;
}

function chooseSpec(input: Choice): { spec: KeySpec; usage: KeyUsage } {
  if (input.KeySpec !== undefined && input.CustomerMasterKeySpec !== undefined) {
    throw invalid("You cannot specify KeySpec and CustomerMasterKeySpec in the same request."); // text [L]
  }
  const spec = input.KeySpec ?? input.CustomerMasterKeySpec ?? "SYMMETRIC_DEFAULT";
  const usage = input.KeyUsage ?? (spec === "SYMMETRIC_DEFAULT" ? "ENCRYPT_DECRYPT" : undefined);
  if (usage === undefined) {
    throw invalid("You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.");
  }
  const facts = factsOf(spec);
  if (!facts.usages.includes(usage)) throw invalid(`KeyUsage ${usage} is not compatible with KeySpec ${spec}`);
  if (facts.family === "unsupported") {
    throw new AwsException(
      "UnsupportedOperationException",
      `This emulator has no implementation of key spec ${spec}; AWS KMS does.`,
    );
  }
  return { spec, usage };
}

function refuseForeignOrigin(origin: string | undefined, stores: readonly (string | undefined)[]): void {
  if ((origin ?? "AWS_KMS") === "AWS_KMS" && stores.every((store) => store === undefined)) return;
  throw new AwsException(
    "UnsupportedOperationException",
    "This emulator makes keys of origin AWS_KMS only: no imported key material, no custom key stores.",
  );
}

function requireRoomForKey(context: OperationContext): void {
  if (context.view.keyCount >= context.limits.keysPerRegion) {
    throw new AwsException("LimitExceededException", `Keys per Region limit exceeded: ${context.limits.keysPerRegion}`);
  }
}

function requireAccess(context: OperationContext, tags: readonly Tag[], conditions: Record<string, string>): void {
  const request = { resource: "*", conditions: { ...conditions, ...requestTagConditions(tags) } };
  context.access.require(context.caller, context.region, { action: "kms:CreateKey", ...request });
  if (tags.length === 0) return;
  context.access.require(context.caller, context.region, { action: "kms:TagResource", ...request });
}

const newKeyId = (context: OperationContext, isMultiRegion: boolean): string =>
  isMultiRegion ? `mrk-${context.random.hex(16)}` : context.random.uuid();

type Chosen = Pick<KeyRecord, "keyId" | "spec" | "usage" | "isMultiRegion" | "materialId" | "tags">;

interface Given {
  readonly Description: string | undefined;
  readonly Policy: string | undefined;
}

const newKey = (context: OperationContext, chosen: Chosen, { Description, Policy }: Given): KeyRecord => ({
  account: context.account,
  region: context.region,
  ...chosen,
  createdAtMs: context.clock(),
  description: Description ?? "",
  keyManager: "CUSTOMER",
  state: "Enabled",
  ...(Policy === undefined ? {} : { policy: Policy }),
  wasTagged: chosen.tags.length > 0,
});

export const createKey = operation({
  service: "kms",
  name: "CreateKey",
  input: structure({
    Policy: optionalPolicy,
    Description: description,
    KeyUsage: keyUsage,
    CustomerMasterKeySpec: keySpec,
    KeySpec: keySpec,
    Origin: optional(enumeration(origins)),
    CustomKeyStoreId: optional(string({ min: 1, max: 64 })),
    BypassPolicyLockoutSafetyCheck: bypassLockoutCheck,
    Tags: optionalTags,
    MultiRegion: optional(boolean()),
    XksKeyId: optional(string({ min: 1, max: 128 })),
  }),
  async run(context, input) {
    const { spec, usage } = chooseSpec(input);
    refuseForeignOrigin(input.Origin, [input.CustomKeyStoreId, input.XksKeyId]);
    const { account, region } = context;
    const isMultiRegion = input.MultiRegion ?? false;
    const tags = mergeTags(context, [], readTags(input.Tags ?? []));
    requireAccess(context, tags, {
      "kms:KeySpec": spec,
      "kms:KeyUsage": usage,
      "kms:KeyOrigin": "AWS_KMS",
      "kms:MultiRegion": String(isMultiRegion),
      "kms:BypassPolicyLockoutSafetyCheck": String(input.BypassPolicyLockoutSafetyCheck ?? false),
    });
    requireRoomForKey(context);
    const keyId = newKeyId(context, isMultiRegion);
    if (input.Policy !== undefined) {
      context.access.checkKeyPolicy(context.caller, region, {
        document: input.Policy,
        bypassLockoutCheck: input.BypassPolicyLockoutSafetyCheck ?? false,
        keyArn: keyArn(account, region, keyId),
      });
    }
    const material = await context.materials.create(spec);
    requireRoomForKey(context); // others may have been made while RSA material was generated
    const key = newKey(context, { keyId, spec, usage, isMultiRegion, materialId: material.id, tags }, input);
    const set: MultiRegionSet | undefined = isMultiRegion
      ? { account, keyId, primaryRegion: region, replicaRegions: [] }
      : undefined;
    context.commit(
      { kind: "put-material", material: storeMaterial(material) },
      ...(set ? [{ kind: "put-set", set } as const] : []),
      {
        kind: "put-key",
        key,
      },
    );
    return { KeyMetadata: keyMetadata(key, set) };
  },
});
