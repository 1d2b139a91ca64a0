/** All operations of all services. */
import type { Operation } from "../framework/operation.ts";
import { getRole } from "../iam/get-role.ts";
import { assumeRole } from "../sts/assume-role.ts";
import { assumeRoleWithWebIdentity } from "../sts/assume-role-with-web-identity.ts";
import { getCallerIdentity } from "../sts/get-caller-identity.ts";
import { getResources } from "../tagging/get-resources.ts";
import { createAlias } from "./aliases/create-alias.ts";
import { deleteAlias } from "./aliases/delete-alias.ts";
import { listAliases } from "./aliases/list-aliases.ts";
import { updateAlias } from "./aliases/update-alias.ts";
import { cancelKeyDeletion } from "./keys/cancel-key-deletion.ts";
import { createKey } from "./keys/create-key.ts";
import { describeKey } from "./keys/describe-key.ts";
import { disableKey } from "./keys/disable-key.ts";
import { enableKey } from "./keys/enable-key.ts";
import { getKeyLastUsage } from "./keys/get-key-last-usage.ts";
import { listKeys } from "./keys/list-keys.ts";
import { scheduleKeyDeletion } from "./keys/schedule-key-deletion.ts";
import { updateKeyDescription } from "./keys/update-key-description.ts";
import { getKeyPolicy } from "./policies/get-key-policy.ts";
import { putKeyPolicy } from "./policies/put-key-policy.ts";
import { replicateKey } from "./replicas/replicate-key.ts";
import { updatePrimaryRegion } from "./replicas/update-primary-region.ts";
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
  createAlias,
  createKey,
  deleteAlias,
  describeKey,
  disableKey,
  enableKey,
  getCallerIdentity,
  getKeyLastUsage,
  getKeyPolicy,
  getPublicKey,
  getResources,
  getRole,
  listAliases,
  listKeys,
  listResourceTags,
  putKeyPolicy,
  replicateKey,
  scheduleKeyDeletion,
  sign,
  tagResource,
  untagResource,
  updateAlias,
  updateKeyDescription,
  updatePrimaryRegion,
  verify,
];

/** Every operation of every service by its name; no two services share one. */
export const operations: ReadonlyMap<string, Operation> = new Map(all.map((operation) => [operation.name, operation]));
