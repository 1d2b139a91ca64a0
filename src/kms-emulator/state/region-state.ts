/** Where the keys and aliases of a Region are kept. */
import { OrderedIndex } from "./ordered-index.ts";
import type { AliasRecord, GrantRecord, KeyRecord } from "./records.ts";

/** Keys and aliases of one account in one Region. */
export interface RegionState {
  readonly keys: Map<string, KeyRecord>;
  readonly keyIds: OrderedIndex;
  readonly aliases: Map<string, AliasRecord>;
  readonly aliasNames: OrderedIndex;
  /** Alias names by key id; a few each, so arrays. */
  readonly aliasesOfKey: Map<string, readonly string[]>;
  readonly grants: Map<string, GrantRecord>;
  /** Ids of grants by key id, in order of creation. */
  readonly grantsOfKey: Map<string, readonly string[]>;
}

export const emptyRegion = (): RegionState => ({
  keys: new Map(),
  keyIds: new OrderedIndex(),
  aliases: new Map(),
  aliasNames: new OrderedIndex(),
  aliasesOfKey: new Map(),
  grants: new Map(),
  grantsOfKey: new Map(),
});

/** Takes the alias off the list of its key. */
export function detach(region: RegionState, alias: AliasRecord): void {
  const rest = (region.aliasesOfKey.get(alias.keyId) ?? []).filter((name) => name !== alias.name);
  if (rest.length > 0) region.aliasesOfKey.set(alias.keyId, rest);
  else region.aliasesOfKey.delete(alias.keyId);
}

export function putGrant(region: RegionState, grant: GrantRecord): void {
  const isNew = !region.grants.has(grant.grantId);
  region.grants.set(grant.grantId, grant);
  if (isNew) region.grantsOfKey.set(grant.keyId, [...(region.grantsOfKey.get(grant.keyId) ?? []), grant.grantId]);
}

export function deleteGrant(region: RegionState, grantId: string): void {
  const grant = region.grants.get(grantId);
  if (!grant) return;
  region.grants.delete(grantId);
  const rest = (region.grantsOfKey.get(grant.keyId) ?? []).filter((id) => id !== grantId);
  if (rest.length > 0) region.grantsOfKey.set(grant.keyId, rest);
  else region.grantsOfKey.delete(grant.keyId);
}

/** A key goes with its grants. */
export function deleteGrantsOf(region: RegionState, keyId: string): void {
  for (const grantId of region.grantsOfKey.get(keyId) ?? []) region.grants.delete(grantId);
  region.grantsOfKey.delete(keyId);
}
