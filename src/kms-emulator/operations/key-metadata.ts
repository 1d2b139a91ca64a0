/** The KeyMetadata that CreateKey, DescribeKey and ReplicateKey answer with. */

import { factsOf, type KeySpec } from "../crypto/key-spec.ts";
import { keyArn } from "../identifiers.ts";
import type { KeyMetadata } from "../model/kms-types.gen.ts";
import { arnOf, type KeyRecord, type MultiRegionSet, versionsOf } from "../state/records.ts";

/** Algorithm members that go with the usage; the others are absent, not empty. */
export function algorithmMembers(
  key: KeyRecord,
): Pick<
  KeyMetadata,
  "SigningAlgorithms" | "EncryptionAlgorithms" | "MacAlgorithms" | "KeyAgreementAlgorithms" | "EncapsulationAlgorithms"
> {
  const facts = factsOf(key.spec);
  switch (key.usage) {
    case "SIGN_VERIFY":
      return { SigningAlgorithms: [...facts.signing] };
    case "ENCRYPT_DECRYPT":
      return { EncryptionAlgorithms: [...facts.encryption] };
    case "GENERATE_VERIFY_MAC":
      return { MacAlgorithms: [...facts.mac] };
    case "KEY_AGREEMENT":
      return { KeyAgreementAlgorithms: ["ECDH"] };
    case "ENCAPSULATE_DECAPSULATE":
      return { EncapsulationAlgorithms: ["ML_KEM"] };
  }
}

function multiRegionConfiguration(key: KeyRecord, set: MultiRegionSet): KeyMetadata["MultiRegionConfiguration"] {
  const member = (region: string) => ({ Arn: keyArn(key.account, region, key.keyId), Region: region });
  return {
    MultiRegionKeyType: set.primaryRegion === key.region ? "PRIMARY" : "REPLICA",
    PrimaryKey: member(set.primaryRegion),
    ReplicaKeys: set.replicaRegions.map(member),
  };
}

type OldSpec = NonNullable<KeyMetadata["CustomerMasterKeySpec"]>;

/** The old name of KeySpec has the same value, also for specs that are younger than its enumeration. */
export const specMembers = (spec: KeySpec) => ({ CustomerMasterKeySpec: spec as OldSpec, KeySpec: spec });

/** When imported material expires; absent while there is none. */
function expirationMembers(key: KeyRecord): Pick<KeyMetadata, "ExpirationModel" | "ValidTo"> {
  if (key.origin !== "EXTERNAL") return {};
  const present = versionsOf(key).filter(({ isPresent }) => isPresent);
  if (present.length === 0) return {};
  const moments = present.flatMap(({ validToMs }) => validToMs ?? []);
  if (moments.length === 0) return { ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE" };
  return { ExpirationModel: "KEY_MATERIAL_EXPIRES", ValidTo: new Date(Math.min(...moments)) };
}

/** KeyMetadata (docs/aws-kms-behaviour.md, "Creating keys"): what does not apply is left out. */
export function keyMetadata(key: KeyRecord, set: MultiRegionSet | undefined): KeyMetadata {
  const hasMaterialId = key.spec === "SYMMETRIC_DEFAULT" && key.materialId !== "" && key.state !== "Creating";
  return {
    AWSAccountId: key.account,
    KeyId: key.keyId,
    Arn: arnOf(key),
    CreationDate: new Date(key.createdAtMs),
    Enabled: key.state === "Enabled",
    Description: key.description,
    KeyUsage: key.usage,
    KeyState: key.state,
    ...(key.state === "PendingDeletion" && key.dueAtMs !== undefined ? { DeletionDate: new Date(key.dueAtMs) } : {}),
    Origin: key.origin ?? "AWS_KMS",
    ...expirationMembers(key),
    KeyManager: key.keyManager,
    ...specMembers(key.spec),
    ...algorithmMembers(key),
    MultiRegion: key.isMultiRegion,
    ...(key.isMultiRegion && set ? { MultiRegionConfiguration: multiRegionConfiguration(key, set) } : {}),
    ...(key.state === "PendingReplicaDeletion" ? { PendingDeletionWindowInDays: key.pendingWindowInDays } : {}),
    ...(hasMaterialId ? { CurrentKeyMaterialId: key.materialId } : {}),
  };
}
