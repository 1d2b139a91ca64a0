/** The state of one Region as a call sees it. */
import type { AliasRecord, GrantRecord, KeyRecord, MultiRegionSet, Mutation } from "./records.ts";
import type { RegionState } from "./region-state.ts";
import type { Store } from "./store.ts";

/**
 * What one call sees of one account and Region. Under a consistency-lag fault reads show the state of some time ago;
 * `current…` reads and commits always work on the present.
 */
export class RegionView {
  readonly account: string;
  readonly region: string;
  readonly #store: Store;
  readonly #state: RegionState;
  readonly #asOfMs: number | undefined;

  constructor(store: Store, account: string, region: string, asOfMs?: number) {
    this.account = account;
    this.region = region;
    this.#store = store;
    this.#state = store.region(account, region);
    this.#asOfMs = asOfMs;
  }

  key(keyId: string): KeyRecord | undefined {
    const current = this.#state.keys.get(keyId);
    if (this.#asOfMs === undefined) return current;
    return this.#store.history.keyAt(this.account, this.region, keyId, this.#asOfMs, current);
  }

  currentKey(keyId: string): KeyRecord | undefined {
    return this.#state.keys.get(keyId);
  }

  alias(name: string): AliasRecord | undefined {
    const current = this.#state.aliases.get(name);
    if (this.#asOfMs === undefined) return current;
    return this.#store.history.aliasAt(this.account, this.region, name, this.#asOfMs, current);
  }

  currentAlias(name: string): AliasRecord | undefined {
    return this.#state.aliases.get(name);
  }

  /** Ids of keys after `marker`, in listing order. */
  keyIdsAfter(marker: string | undefined): Iterable<string> {
    return this.#listing("keys", this.#state.keyIds.after(marker), marker, (id) => this.key(id) !== undefined);
  }

  aliasNamesAfter(marker: string | undefined): Iterable<string> {
    return this.#listing("aliases", this.#state.aliasNames.after(marker), marker, (name) => !!this.alias(name));
  }

  /** Sorted names of the aliases that point to the key. */
  aliasNamesOf(keyId: string): string[] {
    if (this.#asOfMs === undefined) return [...(this.#state.aliasesOfKey.get(keyId) ?? [])].sort();
    return [...this.aliasNamesAfter(undefined)].filter((name) => this.alias(name)?.keyId === keyId);
  }

  aliasCountOf(keyId: string): number {
    return this.#state.aliasesOfKey.get(keyId)?.length ?? 0;
  }

  get keyCount(): number {
    return this.#state.keys.size;
  }

  grant(grantId: string): GrantRecord | undefined {
    return this.#state.grants.get(grantId);
  }

  /** The grants of a key, the oldest first. */
  grantsOf(keyId: string): GrantRecord[] {
    return (this.#state.grantsOfKey.get(keyId) ?? []).flatMap((id) => this.#state.grants.get(id) ?? []);
  }

  allGrants(): Iterable<GrantRecord> {
    return this.#state.grants.values();
  }

  multiRegionSet(keyId: string): MultiRegionSet | undefined {
    return this.#store.multiRegionSet(this.account, keyId);
  }

  commit(mutations: readonly Mutation[], atMs: number): void {
    this.#store.commit(mutations, atMs);
  }

  *#listing(
    kind: "keys" | "aliases",
    current: Iterable<string>,
    marker: string | undefined,
    isVisible: (name: string) => boolean,
  ): Generator<string> {
    if (this.#asOfMs === undefined) {
      yield* current;
      return;
    }
    const former = this.#store.history.changed(kind, this.account, this.region);
    const names = new Set([...former.filter((name) => marker === undefined || name > marker), ...current]);
    for (const name of [...names].sort()) if (isVisible(name)) yield name;
  }
}
