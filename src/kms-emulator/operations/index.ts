import type { Operation } from "../context.ts";
import { getRole } from "../iam/get-role.ts";
import { assumeRole } from "../sts/assume-role.ts";
import { assumeRoleWithWebIdentity } from "../sts/assume-role-with-web-identity.ts";
import { getCallerIdentity } from "../sts/get-caller-identity.ts";
import { getResources } from "../tagging/get-resources.ts";
import { cancelKeyDeletion } from "./cancel-key-deletion.ts";
import { createAlias } from "./create-alias.ts";
import { createKey } from "./create-key.ts";
import { deleteAlias } from "./delete-alias.ts";
import { describeKey } from "./describe-key.ts";
import { disableKey } from "./disable-key.ts";
import { enableKey } from "./enable-key.ts";
import { getKeyPolicy } from "./get-key-policy.ts";
import { getPublicKey } from "./get-public-key.ts";
import { listAliases } from "./list-aliases.ts";
import { listKeys } from "./list-keys.ts";
import { listResourceTags } from "./list-resource-tags.ts";
import { putKeyPolicy } from "./put-key-policy.ts";
import { replicateKey } from "./replicate-key.ts";
import { scheduleKeyDeletion } from "./schedule-key-deletion.ts";
import { sign } from "./sign.ts";
import { tagResource } from "./tag-resource.ts";
import { untagResource } from "./untag-resource.ts";
import { updateAlias } from "./update-alias.ts";
import { updateKeyDescription } from "./update-key-description.ts";
import { updatePrimaryRegion } from "./update-primary-region.ts";
import { verify } from "./verify.ts";

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
