/** What happens to a key by itself when the time of its state, its rotation period or its material is over. */
import type { StoredMaterial } from "../crypto/key-material.ts";
import { dayMs, isWaitingForMaterial, type KeyRecord, type MultiRegionSet, type Mutation } from "./records.ts";
import type { RegionState } from "./region-state.ts";
import { rotate, withoutMaterial } from "./rotate.ts";

/** Makes key material for a symmetric key. */
export type NewMaterial = () => StoredMaterial;

/** What else the end of a key's state is about: its aliases, and the other members of its multi-Region set. */
interface Surroundings {
  region(account: string, region: string): RegionState;
  multiRegionSet(account: string, keyId: string): MultiRegionSet | undefined;
}

/** The changes due to `key` at `atMs`. */
export function settleKey(store: Surroundings, key: KeyRecord, atMs: number, newMaterial: NewMaterial): Mutation[] {
  if (key.dueAtMs === atMs)
    return key.state === "PendingDeletion" ? deletion(store, key, atMs) : [endOfTransition(key)];
  if (key.rotation?.nextAtMs === atMs) return automaticRotation(store, key, atMs, newMaterial);
  const isOver = (version: { validToMs?: number }) => version.validToMs === atMs;
  return [{ kind: "put-key", key: withoutMaterial(key, isOver) }];
}

/** A replica without its material waits for it. */
function endOfTransition({ dueAtMs: _, ...key }: KeyRecord): Mutation {
  return { kind: "put-key", key: { ...key, state: isWaitingForMaterial(key) ? "PendingImport" : "Enabled" } };
}

/** The members of a set rotate together. A key that is not Enabled rotates when it is enabled again. */
function automaticRotation(store: Surroundings, key: KeyRecord, atMs: number, newMaterial: NewMaterial): Mutation[] {
  const set = key.isMultiRegion ? store.multiRegionSet(key.account, key.keyId) : undefined;
  if (set && set.primaryRegion !== key.region) return [];
  if (key.state !== "Enabled" && key.state !== "Updating") return [];
  return rotate(membersOf(store, key), newMaterial(), atMs, "AUTOMATIC");
}

/** The key itself and, if it is a multi-Region primary, its replicas. */
export function membersOf(store: Surroundings, key: KeyRecord): KeyRecord[] {
  const set = key.isMultiRegion ? store.multiRegionSet(key.account, key.keyId) : undefined;
  if (set?.primaryRegion !== key.region) return [key];
  const replicas = set.replicaRegions.flatMap((name) => store.region(key.account, name).keys.get(key.keyId) ?? []);
  return [key, ...replicas];
}

/** A key goes with its aliases; the deletion of the last replica starts the waiting period of a waiting primary. */
function deletion(store: Surroundings, key: KeyRecord, atMs: number): Mutation[] {
  const { account, region, keyId } = key;
  const names = store.region(account, region).aliasesOfKey.get(keyId) ?? [];
  const mutations: Mutation[] = [...names].map((name) => ({ kind: "delete-alias", account, region, name }));
  mutations.push({ kind: "delete-key", account, region, keyId });
  const set = key.isMultiRegion ? store.multiRegionSet(account, keyId) : undefined;
  if (!set) return mutations;
  if (set.primaryRegion === region) return [...mutations, { kind: "delete-set", account, keyId }];
  const replicaRegions = set.replicaRegions.filter((replica) => replica !== region);
  mutations.push({ kind: "put-set", set: { ...set, replicaRegions } });
  const primary = store.region(account, set.primaryRegion).keys.get(keyId);
  if (primary?.state === "PendingReplicaDeletion" && replicaRegions.length === 0) {
    const dueAtMs = atMs + (primary.pendingWindowInDays ?? 30) * dayMs;
    mutations.push({ kind: "put-key", key: { ...primary, state: "PendingDeletion", dueAtMs } });
  }
  return mutations;
}
