/** What an import changes: the key's own material, and what the other members of a multi-Region set wait for. */
import { AwsException, invalid } from "../../exceptions.ts";
import type { OperationContext } from "../../framework/context.ts";
import {
  arnOf,
  isWaitingForMaterial,
  type KeyRecord,
  type MaterialVersion,
  type Mutation,
  versionsOf,
} from "../../state/records.ts";
import { membersOf } from "../rotation/rotation-rules.ts";

interface ImportOptions {
  readonly importType: "NEW_KEY_MATERIAL" | "EXISTING_KEY_MATERIAL" | undefined;
  /** The id that the request names. */
  readonly wantedId: string | undefined;
  readonly description: string | undefined;
  readonly validToMs: number | undefined;
}

/** Text [I]. */
const otherMaterial = (): AwsException =>
  new AwsException(
    "IncorrectKeyMaterialException",
    "The key material is not the one that was imported into this KMS key before.",
  );

/** With its material there, a key that waited for it can be used. */
function completed(key: KeyRecord): KeyRecord {
  return key.state === "PendingImport" && !isWaitingForMaterial(key) ? { ...key, state: "Enabled" } : key;
}

function presentVersion(version: MaterialVersion, options: ImportOptions): MaterialVersion {
  const { validToMs: _, ...rest } = version;
  const { validToMs, description } = options;
  return {
    ...rest,
    isPresent: true,
    ...(description === undefined ? {} : { description }),
    ...(validToMs === undefined ? {} : { validToMs }),
  };
}

/** Material that the key has had before: its place is kept. */
function reimported(key: KeyRecord, id: string, options: ImportOptions): KeyRecord {
  const versions = versionsOf(key).map((version) => (version.id === id ? presentVersion(version, options) : version));
  const current = versions.find((version) => version.id === id && version.state === "CURRENT");
  return completed({ ...key, versions, ...(current ? { materialId: id } : {}) });
}

function isReplica(context: OperationContext, key: KeyRecord): boolean {
  const set = key.isMultiRegion ? context.view.multiRegionSet(key.keyId) : undefined;
  return set !== undefined && set.primaryRegion !== key.region;
}

const awaiting = "PENDING_MULTI_REGION_IMPORT_AND_ROTATION";

/** Once every member has the new material, all of them can rotate to it. */
function settled(members: readonly KeyRecord[], id: string): KeyRecord[] {
  const isEverywhere = members.every((member) =>
    versionsOf(member).some((version) => version.id === id && version.isPresent),
  );
  if (!isEverywhere) return [...members];
  return members.map((member) => ({
    ...member,
    versions: versionsOf(member).map((version) =>
      version.id === id && version.state === awaiting ? { ...version, state: "PENDING_ROTATION" as const } : version,
    ),
  }));
}

/** The first material is current at once. Any other waits for a rotation, in every Region of a set. */
function withNewMaterial(
  context: OperationContext,
  key: KeyRecord,
  id: string,
  options: ImportOptions,
): readonly KeyRecord[] {
  if (isReplica(context, key)) throw invalid(`New key material is imported into the primary key of ${arnOf(key)}.`); // text [I]
  const versions = versionsOf(key);
  const waiting = versions.find(({ state }) => state.startsWith("PENDING"));
  if (waiting) {
    throw new AwsException(
      "KMSInvalidStateException",
      `New key material (id: ${id}) cannot be imported into KMS key ${arnOf(key)}, because another key material (id: ${waiting.id}) is pending rotation.`, // text [L]
    );
  }
  const state = versions.length === 0 ? "CURRENT" : awaiting;
  const own = presentVersion({ id, isPresent: true, state }, options);
  const [first, ...replicas] = membersOf(context, key);
  const primary = first ?? key;
  const members = [
    completed({ ...primary, versions: [...versions, own], ...(state === "CURRENT" ? { materialId: id } : {}) }),
    ...replicas.map((replica) => ({
      ...replica,
      versions: [...versionsOf(replica), { id, isPresent: false, state } as const],
    })),
  ];
  return settled(members, id);
}

/** The primary, and the replicas, with `changed` in its place. */
function membersWith(context: OperationContext, changed: KeyRecord): KeyRecord[] {
  const set = changed.isMultiRegion ? context.view.multiRegionSet(changed.keyId) : undefined;
  const regions = set ? [set.primaryRegion, ...set.replicaRegions] : [changed.region];
  return regions.flatMap((region) =>
    region === changed.region ? changed : (context.viewOf(changed.account, region).currentKey(changed.keyId) ?? []),
  );
}

/** The changes to keys when `id` is imported into `key`. */
export function importInto(context: OperationContext, key: KeyRecord, id: string, options: ImportOptions): Mutation[] {
  const present = context.viewOf(key.account, key.region).currentKey(key.keyId) ?? key;
  const versions = versionsOf(present);
  const isKnown = versions.some((version) => version.id === id);
  const type = options.importType ?? (versions.length === 0 ? "NEW_KEY_MATERIAL" : "EXISTING_KEY_MATERIAL");
  if (options.wantedId !== undefined && type === "NEW_KEY_MATERIAL") {
    throw invalid("KeyMaterialId cannot be specified with ImportType NEW_KEY_MATERIAL."); // text [I]
  }
  if (options.wantedId !== undefined && options.wantedId !== id) throw otherMaterial();
  if (!isKnown && type === "EXISTING_KEY_MATERIAL") throw otherMaterial();
  const changed = isKnown
    ? settled(membersWith(context, reimported(present, id, options)), id)
    : withNewMaterial(context, present, id, options);
  return changed.map((member) => ({ kind: "put-key", key: member }));
}
