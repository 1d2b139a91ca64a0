/** New key material in place of the current one, and keys without material. */
import type { StoredMaterial } from "../crypto/key-material.ts";
import {
  dayMs,
  isWaitingForMaterial,
  type KeyRecord,
  type MaterialVersion,
  type Mutation,
  versionsOf,
} from "./records.ts";

type RotationType = NonNullable<MaterialVersion["rotationType"]>;

/** The versions of a key once `id` is the current one. */
function rotatedVersions(key: KeyRecord, id: string, atMs: number, type: RotationType): MaterialVersion[] {
  const rotated = { rotatedAtMs: atMs, rotationType: type, state: "CURRENT" } as const;
  const former = versionsOf(key).map((version): MaterialVersion => {
    if (version.id === id) return { ...version, ...rotated };
    return version.state === "CURRENT" ? { ...version, state: "NON_CURRENT" } : version;
  });
  return former.some((version) => version.id === id) ? former : [...former, { id, isPresent: true, ...rotated }];
}

/** An automatic rotation is followed by the next; one on demand leaves the schedule as it is. */
function rotated(key: KeyRecord, id: string, atMs: number, type: RotationType): KeyRecord {
  const { rotation } = key;
  const isNextDue = type === "AUTOMATIC" && rotation !== undefined;
  return {
    ...key,
    materialId: id,
    versions: rotatedVersions(key, id, atMs, type),
    ...(isNextDue ? { rotation: { ...rotation, nextAtMs: atMs + rotation.periodInDays * dayMs } } : {}),
  };
}

/** The members of a multi-Region set, or a single key, take on new material. */
export function rotate(
  members: readonly KeyRecord[],
  material: StoredMaterial,
  atMs: number,
  type: RotationType,
): Mutation[] {
  return [
    { kind: "put-material", material },
    ...members.map((key): Mutation => ({ kind: "put-key", key: rotated(key, material.id, atMs, type) })),
  ];
}

/** The members take on the imported material that waits for it. */
export const rotateToPending = (members: readonly KeyRecord[], id: string, atMs: number): Mutation[] =>
  members.map((key) => ({ kind: "put-key", key: rotated(key, id, atMs, "ON_DEMAND") }));

/** Imported material is deleted: the key cannot be used until it is imported again. */
export function withoutMaterial(key: KeyRecord, isDeleted: (version: MaterialVersion) => boolean): KeyRecord {
  const versions = versionsOf(key).map((version): MaterialVersion => {
    if (!isDeleted(version)) return version;
    const { validToMs: _, ...rest } = version;
    return { ...rest, isPresent: false };
  });
  const changed = { ...key, versions };
  const isUsable = key.state === "Enabled" || key.state === "Disabled" || key.state === "Updating";
  return isUsable && isWaitingForMaterial(changed) ? { ...changed, state: "PendingImport" } : changed;
}
