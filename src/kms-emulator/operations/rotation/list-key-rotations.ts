/** ListKeyRotations: the key materials that a key has had, by pages. */
import { kmsOperation } from "../../framework/kms-operation.ts";
import { decodeMarker, firstPage, pageMembers } from "../../framework/pagination.ts";
import type { RotationsListEntry } from "../../model/kms-types.gen.ts";
import { arnOf, type KeyRecord, type MaterialVersion, versionsOf } from "../../state/records.ts";
import { requireKey } from "../key-reference.ts";
import { requireState } from "../key-state.ts";
import { requireSymmetric } from "./rotation-rules.ts";

/** What only keys with imported material have. */
function importMembers(version: MaterialVersion): Partial<RotationsListEntry> {
  const { isPresent, description, validToMs } = version;
  return {
    ImportState: isPresent ? "IMPORTED" : "PENDING_IMPORT",
    ...(description === undefined ? {} : { KeyMaterialDescription: description }),
    ...(isPresent
      ? { ExpirationModel: validToMs === undefined ? "KEY_MATERIAL_DOES_NOT_EXPIRE" : "KEY_MATERIAL_EXPIRES" }
      : {}),
    ...(validToMs === undefined ? {} : { ValidTo: new Date(validToMs) }),
  };
}

function entryOf(key: KeyRecord, version: MaterialVersion): RotationsListEntry {
  const { rotatedAtMs, rotationType } = version;
  return {
    KeyId: arnOf(key),
    KeyMaterialId: version.id,
    ...(key.origin === "EXTERNAL" ? importMembers(version) : {}),
    KeyMaterialState: version.state,
    ...(rotatedAtMs === undefined ? {} : { RotationDate: new Date(rotatedAtMs) }),
    ...(rotationType === undefined ? {} : { RotationType: rotationType }),
  };
}

export const listKeyRotations = kmsOperation({
  name: "ListKeyRotations",
  run(context, input) {
    const key = requireKey(context, input.KeyId, { action: "kms:ListKeyRotations" });
    requireSymmetric(key);
    requireState("ListKeyRotations", key);
    const isAllWanted = input.IncludeKeyMaterial === "ALL_KEY_MATERIAL";
    const versions = versionsOf(key).filter(({ rotatedAtMs }) => isAllWanted || rotatedAtMs !== undefined);
    const scope = `ListKeyRotations/${key.account}/${key.region}/${key.keyId}/${isAllWanted}`;
    const after = decodeMarker(scope, input.Marker);
    const start = after === undefined ? 0 : versions.findIndex(({ id }) => id === after) + 1;
    const page = firstPage(
      versions.slice(start).map(({ id }) => id),
      input.Limit ?? 100,
    );
    const shown = versions.slice(start, start + page.items.length);
    return { Rotations: shown.map((version) => entryOf(key, version)), ...pageMembers(page, scope) };
  },
});
