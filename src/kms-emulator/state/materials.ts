/** Key material, kept as long as a key has it. */
import type { StoredMaterial } from "../crypto/key-material.ts";
import { type KeyRecord, versionsOf } from "./records.ts";

/** Whose a material is: the members of a multi-Region set share account and key id. */
export interface MaterialOwner {
  readonly account: string;
  readonly keyId: string;
}

interface Entry {
  readonly material: StoredMaterial;
  users: number;
  owner: MaterialOwner | undefined;
}

const presentIds = (key: KeyRecord): readonly string[] =>
  key.versions || key.materialId === ""
    ? versionsOf(key).flatMap(({ id, isPresent }) => (isPresent ? [id] : []))
    : [key.materialId];

export class Materials {
  readonly #entries = new Map<string, Entry>();

  get(id: string): StoredMaterial | undefined {
    return this.#entries.get(id)?.material;
  }

  ownerOf(id: string): MaterialOwner | undefined {
    return this.#entries.get(id)?.owner;
  }

  put(material: StoredMaterial): void {
    const known = this.#entries.get(material.id);
    this.#entries.set(material.id, { material, users: known?.users ?? 0, owner: known?.owner });
  }

  /** The key takes the place of its former record: materials that it no longer has lose a user. */
  replace(key: KeyRecord | undefined, before: KeyRecord | undefined): void {
    if (key && before && key.materialId === before.materialId && key.versions === before.versions) return;
    for (const id of key ? presentIds(key) : []) this.#use(id, 1, key);
    for (const id of before ? presentIds(before) : []) this.#use(id, -1, before);
  }

  clear(): void {
    this.#entries.clear();
  }

  *inUse(): Generator<StoredMaterial> {
    for (const { material, users } of this.#entries.values()) if (users > 0) yield material;
  }

  #use(id: string, change: 1 | -1, owner: MaterialOwner | undefined): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    entry.users += change;
    entry.owner ??= owner;
    if (entry.users <= 0) this.#entries.delete(id);
  }
}
