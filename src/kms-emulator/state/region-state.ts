/** Where the keys and aliases of a Region are kept. */
import { OrderedIndex } from "./ordered-index.ts";
import type { AliasRecord, KeyRecord } from "./records.ts";

/** Keys and aliases of one account in one Region. */
export interface RegionState {
  readonly keys: Map<string, KeyRecord>;
  readonly keyIds: OrderedIndex;
  readonly aliases: Map<string, AliasRecord>;
  readonly aliasNames: OrderedIndex;
  /** Alias names by key id; a few each, so arrays. */
  readonly aliasesOfKey: Map<string, readonly string[]>;
}

export const emptyRegion = (): RegionState => ({
  keys: new Map(),
  keyIds: new OrderedIndex(),
  aliases: new Map(),
  aliasNames: new OrderedIndex(),
  aliasesOfKey: new Map(),
});

/** Takes the alias off the list of its key. */
export function detach(region: RegionState, alias: AliasRecord): void {
  const rest = (region.aliasesOfKey.get(alias.keyId) ?? []).filter((name) => name !== alias.name);
  if (rest.length > 0) region.aliasesOfKey.set(alias.keyId, rest);
  else region.aliasesOfKey.delete(alias.keyId);
}
