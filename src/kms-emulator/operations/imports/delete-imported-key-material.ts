/** DeleteImportedKeyMaterial: takes imported material away until the same is imported again. */
import { AwsException } from "../../exceptions.ts";
import type { OperationContext } from "../../framework/context.ts";
import { kmsOperation } from "../../framework/kms-operation.ts";
import { arnOf, type KeyRecord, type MaterialVersion, type Mutation, versionsOf } from "../../state/records.ts";
import { withoutMaterial } from "../../state/rotate.ts";
import { requireCustomerKey } from "../key-reference.ts";
import { requireState } from "../key-state.ts";
import { membersOf } from "../rotation/rotation-rules.ts";
import { requireImportable } from "./import-rules.ts";

/** The material that the request names, or else the current one. */
function versionIn(key: KeyRecord, id: string | undefined): MaterialVersion | undefined {
  const wanted = id ?? key.materialId;
  const version = versionsOf(key).find((candidate) => candidate.id === wanted);
  if (version || id === undefined) return version;
  throw new AwsException("NotFoundException", `Key material ${id} is not associated with ${arnOf(key)}.`); // text [I]
}

/** A primary's material that has never been current is forgotten, in its replicas too; other material can come back. */
function deletion(context: OperationContext, key: KeyRecord, { id, state }: MaterialVersion): Mutation[] {
  const isWaiting = state.startsWith("PENDING");
  const members = isWaiting ? membersOf(context, key) : membersOf(context, key).slice(0, 1);
  return members.map((member) => {
    if (!isWaiting) return { kind: "put-key", key: withoutMaterial(member, (version) => version.id === id) };
    return { kind: "put-key", key: { ...member, versions: versionsOf(member).filter((version) => version.id !== id) } };
  });
}

export const deleteImportedKeyMaterial = kmsOperation({
  name: "DeleteImportedKeyMaterial",
  run(context, input) {
    const key = requireCustomerKey(context, input.KeyId, { action: "kms:DeleteImportedKeyMaterial" });
    requireImportable(key);
    requireState("DeleteImportedKeyMaterial", key);
    const version = versionIn(key, input.KeyMaterialId);
    if (version?.isPresent) context.commit(...deletion(context, key, version));
    const isNamed = version !== undefined && key.spec === "SYMMETRIC_DEFAULT";
    return { KeyId: arnOf(key), ...(isNamed ? { KeyMaterialId: version.id } : {}) };
  },
});
