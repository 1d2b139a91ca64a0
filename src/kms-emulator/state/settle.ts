/** What happens to a key by itself when the time of its state is over. */
import type { KeyRecord, MultiRegionSet, Mutation } from "./records.ts";
import type { RegionState } from "./region-state.ts";

export const dayMs = 24 * 60 * 60 * 1000;

/** What else the end of a key's state is about: its aliases, and the other members of its multi-Region set. */
interface Surroundings {
  region(account: string, region: string): RegionState;
  multiRegionSet(account: string, keyId: string): MultiRegionSet | undefined;
}

/** The changes due when `key`'s time-limited state ends at `atMs`. */
export function settleKey(store: Surroundings, key: KeyRecord, atMs: number): Mutation[] {
  if (key.state === "PendingDeletion") return deletion(store, key, atMs);
  const { dueAtMs: _, ...rest } = key;
  return [{ kind: "put-key", key: { ...rest, state: "Enabled" } }];
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
