/** What records were a while ago, for reads that lag behind. */
import type { AliasRecord, KeyRecord } from "./records.ts";

/** What a record was until `untilMs`; undefined = it did not exist. */
interface Past<T> {
  readonly untilMs: number;
  readonly record: T | undefined;
}

type Pasts<T> = Map<string, Past<T>[]>;

const placeOf = (record: { account: string; region: string }): string => `${record.account}/${record.region}/`;

/**
 * Former versions of records, kept only while a consistency-lag fault can ask for them: reads under such a fault see the
 * state of `asOfMs`.
 */
export class History {
  /** How far back a read may ask; 0 = nothing is kept. Grows with the largest lag fault that was ever added. */
  #spanMs = 0;
  readonly #keys: Pasts<KeyRecord> = new Map();
  readonly #aliases: Pasts<AliasRecord> = new Map();

  keep(spanMs: number): void {
    this.#spanMs = Math.max(this.#spanMs, spanMs);
  }

  clear(): void {
    this.#keys.clear();
    this.#aliases.clear();
  }

  noteKey(key: KeyRecord, before: KeyRecord | undefined, atMs: number): void {
    if (this.#spanMs > 0) this.#note(this.#keys, placeOf(key) + key.keyId, before, atMs);
  }

  noteAlias(alias: AliasRecord, before: AliasRecord | undefined, atMs: number): void {
    if (this.#spanMs > 0) this.#note(this.#aliases, placeOf(alias) + alias.name, before, atMs);
  }

  keyAt(account: string, region: string, keyId: string, asOfMs: number, current: KeyRecord | undefined) {
    return versionAt(this.#keys.get(`${account}/${region}/${keyId}`), asOfMs, current);
  }

  aliasAt(account: string, region: string, name: string, asOfMs: number, current: AliasRecord | undefined) {
    return versionAt(this.#aliases.get(`${account}/${region}/${name}`), asOfMs, current);
  }

  /** Ids or names in this Region that have changed lately, and may be missing from the current listing. */
  changed(kind: "keys" | "aliases", account: string, region: string): string[] {
    const prefix = `${account}/${region}/`;
    const names = kind === "keys" ? this.#keys.keys() : this.#aliases.keys();
    return [...names].filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  }

  #note<T>(pasts: Pasts<T>, name: string, record: T | undefined, untilMs: number): void {
    const kept = (pasts.get(name) ?? []).filter((past) => past.untilMs >= untilMs - this.#spanMs);
    pasts.set(name, [...kept, { untilMs, record }]);
  }
}

function versionAt<T>(pasts: readonly Past<T>[] | undefined, asOfMs: number, current: T | undefined): T | undefined {
  const past = pasts?.find((candidate) => candidate.untilMs > asOfMs);
  return past ? past.record : current;
}
