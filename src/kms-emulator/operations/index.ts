/** All operations of all services. */
import type { Operation } from "../framework/operation.ts";
import { getRole } from "../iam/get-role.ts";
import { assumeRole } from "../sts/assume-role.ts";
import { assumeRoleWithWebIdentity } from "../sts/assume-role-with-web-identity.ts";
import { getCallerIdentity } from "../sts/get-caller-identity.ts";
import { getResources } from "../tagging/get-resources.ts";
import { decapsulate } from "./agreement/decapsulate.ts";
import { deriveSharedSecret } from "./agreement/derive-shared-secret.ts";
import { encapsulate } from "./agreement/encapsulate.ts";
import { createAlias } from "./aliases/create-alias.ts";
import { deleteAlias } from "./aliases/delete-alias.ts";
import { listAliases } from "./aliases/list-aliases.ts";
import { updateAlias } from "./aliases/update-alias.ts";
import { connectCustomKeyStore } from "./custom-key-stores/connect-custom-key-store.ts";
import { createCustomKeyStore } from "./custom-key-stores/create-custom-key-store.ts";
import { deleteCustomKeyStore } from "./custom-key-stores/delete-custom-key-store.ts";
import { describeCustomKeyStores } from "./custom-key-stores/describe-custom-key-stores.ts";
import { disconnectCustomKeyStore } from "./custom-key-stores/disconnect-custom-key-store.ts";
import { updateCustomKeyStore } from "./custom-key-stores/update-custom-key-store.ts";
import { generateDataKey } from "./data-keys/generate-data-key.ts";
import { generateDataKeyPair } from "./data-keys/generate-data-key-pair.ts";
import { generateDataKeyPairWithoutPlaintext } from "./data-keys/generate-data-key-pair-without-plaintext.ts";
import { generateDataKeyWithoutPlaintext } from "./data-keys/generate-data-key-without-plaintext.ts";
import { generateRandom } from "./data-keys/generate-random.ts";
import { decrypt } from "./encryption/decrypt.ts";
import { encrypt } from "./encryption/encrypt.ts";
import { reEncrypt } from "./encryption/re-encrypt.ts";
import { createGrant } from "./grants/create-grant.ts";
import { listGrants } from "./grants/list-grants.ts";
import { listRetirableGrants } from "./grants/list-retirable-grants.ts";
import { retireGrant } from "./grants/retire-grant.ts";
import { revokeGrant } from "./grants/revoke-grant.ts";
import { deleteImportedKeyMaterial } from "./imports/delete-imported-key-material.ts";
import { getParametersForImport } from "./imports/get-parameters-for-import.ts";
import { importKeyMaterial } from "./imports/import-key-material.ts";
import { cancelKeyDeletion } from "./keys/cancel-key-deletion.ts";
import { createKey } from "./keys/create-key.ts";
import { describeKey } from "./keys/describe-key.ts";
import { disableKey } from "./keys/disable-key.ts";
import { enableKey } from "./keys/enable-key.ts";
import { getKeyLastUsage } from "./keys/get-key-last-usage.ts";
import { listKeys } from "./keys/list-keys.ts";
import { scheduleKeyDeletion } from "./keys/schedule-key-deletion.ts";
import { updateKeyDescription } from "./keys/update-key-description.ts";
import { generateMac } from "./macs/generate-mac.ts";
import { verifyMac } from "./macs/verify-mac.ts";
import { getKeyPolicy } from "./policies/get-key-policy.ts";
import { listKeyPolicies } from "./policies/list-key-policies.ts";
import { putKeyPolicy } from "./policies/put-key-policy.ts";
import { replicateKey } from "./replicas/replicate-key.ts";
import { updatePrimaryRegion } from "./replicas/update-primary-region.ts";
import { disableKeyRotation } from "./rotation/disable-key-rotation.ts";
import { enableKeyRotation } from "./rotation/enable-key-rotation.ts";
import { getKeyRotationStatus } from "./rotation/get-key-rotation-status.ts";
import { listKeyRotations } from "./rotation/list-key-rotations.ts";
import { rotateKeyOnDemand } from "./rotation/rotate-key-on-demand.ts";
import { getPublicKey } from "./signing/get-public-key.ts";
import { sign } from "./signing/sign.ts";
import { verify } from "./signing/verify.ts";
import { listResourceTags } from "./tags/list-resource-tags.ts";
import { tagResource } from "./tags/tag-resource.ts";
import { untagResource } from "./tags/untag-resource.ts";

const all: readonly Operation[] = [
  assumeRole,
  assumeRoleWithWebIdentity,
  cancelKeyDeletion,
  connectCustomKeyStore,
  createAlias,
  createCustomKeyStore,
  createGrant,
  createKey,
  decapsulate,
  decrypt,
  deleteAlias,
  deleteCustomKeyStore,
  deleteImportedKeyMaterial,
  deriveSharedSecret,
  describeCustomKeyStores,
  describeKey,
  disableKey,
  disableKeyRotation,
  disconnectCustomKeyStore,
  enableKey,
  enableKeyRotation,
  encapsulate,
  encrypt,
  generateDataKey,
  generateDataKeyPair,
  generateDataKeyPairWithoutPlaintext,
  generateDataKeyWithoutPlaintext,
  generateMac,
  generateRandom,
  getCallerIdentity,
  getKeyLastUsage,
  getKeyPolicy,
  getKeyRotationStatus,
  getParametersForImport,
  getPublicKey,
  getResources,
  getRole,
  importKeyMaterial,
  listAliases,
  listGrants,
  listKeyPolicies,
  listKeyRotations,
  listKeys,
  listResourceTags,
  listRetirableGrants,
  putKeyPolicy,
  reEncrypt,
  replicateKey,
  retireGrant,
  revokeGrant,
  rotateKeyOnDemand,
  scheduleKeyDeletion,
  sign,
  tagResource,
  untagResource,
  updateAlias,
  updateCustomKeyStore,
  updateKeyDescription,
  updatePrimaryRegion,
  verify,
  verifyMac,
];

/** Every operation of every service by its name; no two services share one. */
export const operations: ReadonlyMap<string, Operation> = new Map(all.map((operation) => [operation.name, operation]));
