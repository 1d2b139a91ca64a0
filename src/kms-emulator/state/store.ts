/** All state, and the one way to change it. */
import type { StoredMaterial } from "../crypto/key-material.ts";
import { Credentials } from "./credentials.ts";
import { DueQueue } from "./due-queue.ts";
import { History } from "./history.ts";
import { LastUsage } from "./last-usage.ts";
import { Materials } from "./materials.ts";
import type { Recorder } from "./recorder.ts";
import { type AliasRecord, dueMomentsOf, type KeyRecord, type MultiRegionSet, type Mutation } from "./records.ts";
import { deleteGrant, deleteGrantsOf, detach, emptyRegion, putGrant, type RegionState } from "./region-state.ts";
import { type NewMaterial, settleKey } from "./settle.ts";

const place = (account: string, region: string): string => `${account}/${region}`;

/** All state of the emulator: every account and Region. Synchronous; a commit is atomic. */
export class Store {
  readonly #regions = new Map<string, RegionState>();
  readonly #sets = new Map<string, MultiRegionSet>();
  readonly #due = new DueQueue();
  readonly #newMaterial: NewMaterial;
  readonly materials = new Materials();
  readonly credentials = new Credentials();
  readonly history = new History();
  readonly lastUsage = new LastUsage();
  #recorder: Recorder | undefined;

  /** `newMaterial` makes what an automatic rotation puts in place of the old material. */
  constructor(newMaterial: NewMaterial) {
    this.#newMaterial = newMaterial;
  }

  set recorder(recorder: Recorder | undefined) {
    this.#recorder = recorder;
  }

  region(account: string, region: string): RegionState {
    const name = place(account, region);
    const known = this.#regions.get(name);
    if (known) return known;
    const made = emptyRegion();
    this.#regions.set(name, made);
    return made;
  }

  get hasKeys(): boolean {
    return [...this.#regions.values()].some((region) => region.keys.size > 0);
  }

  material(id: string): StoredMaterial | undefined {
    return this.materials.get(id);
  }

  /** Every account that has something in this Region. */
  *accountsIn(region: string): Generator<string> {
    for (const name of this.#regions.keys()) {
      const [account = "", of] = name.split("/");
      if (of === region) yield account;
    }
  }

  multiRegionSet(account: string, keyId: string): MultiRegionSet | undefined {
    return this.#sets.get(place(account, keyId));
  }

  /** Makes the changes durable, then visible, all together. */
  commit(mutations: readonly Mutation[], atMs: number): void {
    if (mutations.length === 0) return;
    this.#recorder?.append(mutations, atMs);
    for (const mutation of mutations) this.apply(mutation, atMs);
    this.#recorder?.compactIfDue();
  }

  clockMoved(nowMs: number): void {
    this.#recorder?.clockMoved(nowMs);
    this.settle(nowMs);
  }

  /** Carries out what has fallen due by `nowMs`, in order of time. */
  settle(nowMs: number): void {
    while (this.#due.nextMs <= nowMs) {
      const due = this.#due.pop();
      if (!due) return;
      const key = this.region(due.account, due.region).keys.get(due.keyId);
      if (!key || !dueMomentsOf(key).includes(due.atMs)) continue;
      this.commit(settleKey(this, key, due.atMs, this.#newMaterial), due.atMs);
    }
  }

  /** Every record, as the changes that would make it; materials first. */
  *snapshot(): Generator<Mutation> {
    for (const material of this.materials.inUse()) yield { kind: "put-material", material };
    for (const set of this.#sets.values()) yield { kind: "put-set", set };
    for (const region of this.#regions.values()) {
      for (const key of region.keys.values()) yield { kind: "put-key", key };
      for (const alias of region.aliases.values()) yield { kind: "put-alias", alias };
      for (const grant of region.grants.values()) yield { kind: "put-grant", grant };
    }
    yield* this.credentials.snapshot();
  }

  /** Forgets everything and starts from these changes instead. */
  replaceAll(mutations: readonly Mutation[], atMs: number): void {
    this.#recorder?.replace(mutations, atMs);
    this.#clear();
    this.lastUsage.begin(atMs);
    for (const mutation of mutations) this.apply(mutation, atMs);
    this.settle(atMs);
  }

  #clear(): void {
    for (const part of [this.#regions, this.materials, this.#sets, this.credentials]) part.clear();
    while (this.#due.pop()) {
      // emptied
    }
    this.history.clear();
  }

  /** Applies one change without recording it: for commits and for reading a saved state back. */
  apply(mutation: Mutation, atMs: number): void {
    switch (mutation.kind) {
      case "put-material":
        this.materials.put(mutation.material);
        return;
      case "put-key":
        this.#putKey(mutation.key, atMs);
        return;
      case "delete-key":
        this.#deleteKey(mutation.account, mutation.region, mutation.keyId, atMs);
        return;
      case "put-alias":
        this.#putAlias(mutation.alias, atMs);
        return;
      case "delete-alias":
        this.#deleteAlias(mutation.account, mutation.region, mutation.name, atMs);
        return;
      case "put-set":
        this.#sets.set(place(mutation.set.account, mutation.set.keyId), mutation.set);
        return;
      case "delete-set":
        this.#sets.delete(place(mutation.account, mutation.keyId));
        return;
      case "put-grant":
        putGrant(this.region(mutation.grant.account, mutation.grant.region), mutation.grant);
        return;
      case "delete-grant":
        deleteGrant(this.region(mutation.account, mutation.region), mutation.grantId);
        return;
      case "put-import-token":
        this.credentials.putImportToken(mutation.token, atMs);
        return;
      case "put-session":
        this.credentials.putSession(mutation.session, atMs);
        return;
    }
  }

  #putKey(key: KeyRecord, atMs: number): void {
    const region = this.region(key.account, key.region);
    const before = region.keys.get(key.keyId);
    this.history.noteKey(key, before, atMs);
    region.keys.set(key.keyId, key);
    if (!before) region.keyIds.add(key.keyId);
    this.materials.replace(key, before);
    const known = before ? dueMomentsOf(before) : [];
    for (const dueAtMs of dueMomentsOf(key)) {
      if (known.includes(dueAtMs)) continue;
      this.#due.push({ atMs: dueAtMs, account: key.account, region: key.region, keyId: key.keyId });
    }
  }

  #deleteKey(account: string, regionName: string, keyId: string, atMs: number): void {
    const region = this.region(account, regionName);
    const before = region.keys.get(keyId);
    if (!before) return;
    this.history.noteKey(before, before, atMs);
    this.lastUsage.forget(before);
    region.keys.delete(keyId);
    region.keyIds.delete(keyId);
    region.aliasesOfKey.delete(keyId);
    deleteGrantsOf(region, keyId);
    this.materials.replace(undefined, before);
  }

  #putAlias(alias: AliasRecord, atMs: number): void {
    const region = this.region(alias.account, alias.region);
    const before = region.aliases.get(alias.name);
    this.history.noteAlias(alias, before, atMs);
    if (before) detach(region, before);
    else region.aliasNames.add(alias.name);
    region.aliases.set(alias.name, alias);
    region.aliasesOfKey.set(alias.keyId, [...(region.aliasesOfKey.get(alias.keyId) ?? []), alias.name]);
  }

  #deleteAlias(account: string, regionName: string, name: string, atMs: number): void {
    const region = this.region(account, regionName);
    const before = region.aliases.get(name);
    if (!before) return;
    this.history.noteAlias(before, before, atMs);
    region.aliases.delete(name);
    region.aliasNames.delete(name);
    detach(region, before);
  }
}
