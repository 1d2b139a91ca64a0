/** The KeyMetadata that CreateKey, DescribeKey and ReplicateKey answer with. */
import type { KeyMetadata } from "@aws-sdk/client-kms";
import { factsOf } from "../crypto/key-spec.ts";
import { keyArn } from "../identifiers.ts";
import type { KeyRecord, MultiRegionSet } from "../state/records.ts";
import { arnOf } from "../state/records.ts";

/** Algorithm members that go with the usage; the others are absent, not empty. */
export function algorithmMembers(
  key: KeyRecord,
): Pick<KeyMetadata, "SigningAlgorithms" | "EncryptionAlgorithms" | "MacAlgorithms" | "KeyAgreementAlgorithms"> {
  const facts = factsOf(key.spec);
  switch (key.usage) {
    case "SIGN_VERIFY":
      return { SigningAlgorithms: [...facts.signing] };
    case "ENCRYPT_DECRYPT":
      return { EncryptionAlgorithms: [...facts.encryption] as KeyMetadata["EncryptionAlgorithms"] };
    case "GENERATE_VERIFY_MAC":
      return { MacAlgorithms: [...facts.mac] as KeyMetadata["MacAlgorithms"] };
    case "KEY_AGREEMENT":
      return { KeyAgreementAlgorithms: ["ECDH"] };
    case "ENCAPSULATE_DECAPSULATE":
      return {};
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

/** KeyMetadata (docs/aws-kms-behaviour.md, "Creating keys"): what does not apply is left out. */
export function keyMetadata(key: KeyRecord, set: MultiRegionSet | undefined): KeyMetadata {
  const isSymmetric = key.spec === "SYMMETRIC_DEFAULT";
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
    Origin: "AWS_KMS",
    KeyManager: key.keyManager,
    CustomerMasterKeySpec: key.spec as KeyMetadata["CustomerMasterKeySpec"],
    KeySpec: key.spec,
    ...algorithmMembers(key),
    MultiRegion: key.isMultiRegion,
    ...(key.isMultiRegion && set ? { MultiRegionConfiguration: multiRegionConfiguration(key, set) } : {}),
    ...(key.state === "PendingReplicaDeletion" ? { PendingDeletionWindowInDays: key.pendingWindowInDays } : {}),
    ...(isSymmetric ? { CurrentKeyMaterialId: key.materialId } : {}),
  };
}
