/** Key material, kept as long as a key has it. */
import type { StoredMaterial } from "../crypto/key-material.ts";
import type { KeyRecord } from "./records.ts";

/** Whose a material is: the members of a multi-Region set share account and key id. */
export interface MaterialOwner {
  readonly account: string;
  readonly keyId: string;
}

interface Entry {
  /** Undefined: imported material that was deleted; its ciphertexts still have an owner. */
  material: StoredMaterial | undefined;
  /** How many keys have the material. */
  users: number;
  /** How many keys know of it. */
  knownBy: number;
  owner: MaterialOwner | undefined;
}

/** Ids of a key's materials, and whether each is there. */
function* idsOf(key: KeyRecord): Generator<readonly [id: string, isPresent: boolean]> {
  if (key.versions) for (const { id, isPresent } of key.versions) yield [id, isPresent];
  else if (key.materialId !== "") yield [key.materialId, true];
}

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
    if (known) known.material = material;
    else this.#entries.set(material.id, { material, users: 0, knownBy: 0, owner: undefined });
  }

  /** The key takes the place of its former record: materials that it no longer has lose a user. */
  replace(key: KeyRecord | undefined, before: KeyRecord | undefined): void {
    if (key && before && key.materialId === before.materialId && key.versions === before.versions) return;
    if (key) for (const [id, isPresent] of idsOf(key)) this.#count(id, isPresent, 1, key);
    if (before) for (const [id, isPresent] of idsOf(before)) this.#count(id, isPresent, -1, before);
  }

  clear(): void {
    this.#entries.clear();
  }

  *inUse(): Generator<StoredMaterial> {
    for (const { material, users } of this.#entries.values()) if (material && users > 0) yield material;
  }

  #count(id: string, isPresent: boolean, change: 1 | -1, owner: MaterialOwner): void {
    const entry = this.#entries.get(id) ?? { material: undefined, users: 0, knownBy: 0, owner: undefined };
    this.#entries.set(id, entry);
    entry.owner ??= owner;
    entry.knownBy += change;
    if (isPresent) {
      entry.users += change;
      if (entry.users <= 0) entry.material = undefined;
    }
    if (entry.knownBy <= 0) this.#entries.delete(id);
  }
}
