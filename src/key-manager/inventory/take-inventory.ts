/**
 * Takes an inventory of a trust domain's keys in one account and Region, and tells of each as soon as it is certain.
 *
 * One ListAliases of everything, then DescribeKey of what aliases, or tags, show to be the trust domain's: keys of others
 * cost nothing. It changes nothing, and never makes more calls a second than it was given.
 */
import { abortController } from "../pace/concurrency.ts";
import { Pacer } from "../pace/pacer.ts";
import {
  type AliasListEntry,
  isKmsError,
  type KeyMetadata,
  type KmsError,
  type KmsErrorCode,
  type Page,
} from "../ports.ts";
import { readSpireTags, type SpireTags, trustDomainFilter } from "../tags/spire-tags.ts";
import { type Described, Describer } from "./describer.ts";
import { duplicatesAmong } from "./duplicates.ts";
import { EventChannel } from "./event-channel.ts";
import { defaultCallsPerSecond, type InventoryEvent, type InventoryOptions, maxDescribes } from "./inventory.ts";
import type { JudgeContext } from "./inventory-facts.ts";
import { judgeKey } from "./judge-key.ts";
import type { KeyRow } from "./key-row.ts";
import { MemberLooks } from "./member-looks.ts";
import { summaryOf } from "./summary.ts";

/** One run. */
class Inventory {
  readonly #options: InventoryOptions;
  readonly #tell: (event: InventoryEvent) => void;
  readonly #signal: AbortSignal;
  readonly #pacer: Pacer;
  readonly #describer: Describer;
  readonly #members: MemberLooks | undefined;
  /** Rows of multi-Region keys as they are without their members; told once those were looked at. */
  readonly #bare = new Map<string, KeyRow>();
  /** By key id: what stands on it. */
  readonly #aliases = new Map<string, AliasListEntry[]>();
  readonly #keys = new Map<string, Described>();
  readonly #tags = new Map<string, SpireTags>();
  readonly #rows = new Map<string, KeyRow>();
  /** Keys that no alias stands on. */
  readonly #nameless = new Set<string>();
  #now: Date;
  #twin: KeyMetadata | undefined;
  #counts = { aliasPages: 0, aliases: 0, troubles: 0, foreign: 0 };
  #isListed = false;
  #areAliasesKnown = true;

  constructor(options: InventoryOptions, tell: (event: InventoryEvent) => void, signal: AbortSignal) {
    this.#options = options;
    this.#tell = tell;
    this.#signal = signal;
    this.#pacer = new Pacer(options.clock, options.callsPerSecond ?? defaultCallsPerSecond);
    this.#now = options.clock.now();
    this.#describer = new Describer({
      kms: options.kms,
      pacer: this.#pacer,
      signal,
      onDescribed: (keyId, key) => this.#onDescribed(keyId, key),
      onDenied: (error) => this.#trouble(error, "type, state and age of such keys are not known"),
    });
    this.#members =
      options.members &&
      new MemberLooks(options.members, {
        names: options.names,
        turn: () => this.#pacer.turn(signal),
        onTrouble: (error, region) => this.#trouble(error, `the state of members in ${region} is not known`),
      });
  }

  async run(): Promise<void> {
    await this.#readTags();
    await this.#listAliases();
    await this.#describer.drain();
    this.#isListed = true;
    for (const keyId of this.#keys.keys()) this.#settle(keyId);
    const { listed, notLookedAt } = await this.#lookAtNameless();
    await this.#members?.drain();
    for (const row of duplicatesAmong([...this.#rows.values()])) this.#put(row);
    const membersNotLookedAt = this.#members?.notLookedAt ?? 0;
    this.#progress();
    const summary = summaryOf([...this.#rows.values()], {
      now: this.#now,
      foreignKeys: this.#counts.foreign,
      namelessNotLookedAt: notLookedAt,
      membersNotLookedAt,
      keysInRegion: listed,
      isComplete: this.#counts.troubles === 0 && notLookedAt + membersNotLookedAt === 0,
    });
    this.#tell({ kind: "end", summary });
  }

  /** Pages, each in its turn. */
  async *#paced<T>(pages: AsyncIterable<Page<T>>): AsyncGenerator<Page<T>> {
    const iterator = pages[Symbol.asyncIterator]();
    for (;;) {
      await this.#pacer.turn(this.#signal);
      const next = await iterator.next();
      if (next.done) return;
      this.#now = next.value.serverTime ?? this.#now;
      yield next.value;
    }
  }

  #trouble(error: KmsError, consequence: string): void {
    this.#counts.troubles++;
    this.#tell({ kind: "trouble", trouble: { error, consequence } });
  }

  /** Runs what may be denied. @returns whether it was done */
  async #try(work: () => Promise<void>, codes: readonly KmsErrorCode[], consequence: string): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (!isKmsError(error, ...codes)) throw error;
      this.#trouble(error, consequence);
      return false;
    }
  }

  async #readTags(): Promise<void> {
    const { tags } = this.#options;
    if (tags === undefined) return;
    const read = async () => {
      const pages = tags.tagging.getResources([trustDomainFilter(tags.trustDomain)], { signal: this.#signal });
      for await (const { items } of this.#paced(pages)) {
        for (const item of items) {
          const found = readSpireTags(item);
          if (found !== undefined) this.#tags.set(item.keyArn.slice(item.keyArn.lastIndexOf("/") + 1), found);
        }
      }
    };
    await this.#try(
      read,
      ["ACCESS_DENIED", "INVALID_REQUEST", "UNAVAILABLE", "TIMEOUT"],
      "tags are not known: keys that only their tags name look like orphans",
    );
  }

  async #listAliases(): Promise<void> {
    const { kms, names, foreign } = this.#options;
    const list = async () => {
      for await (const { items } of this.#paced(kms.listAliases(undefined, { signal: this.#signal }))) {
        this.#counts.aliasPages++;
        this.#counts.aliases += items.length;
        for (const alias of items) {
          const { aliasName, targetKeyId } = alias;
          if (targetKeyId === undefined) continue;
          const isOurs = names.ownerOf(aliasName, "") !== undefined || names.reminders?.isReminder(aliasName) === true;
          // Of tens of thousands of others' aliases only what rules ask for is kept.
          const kept = isOurs ? alias : { ...alias, aliasArn: undefined };
          const others = this.#aliases.get(targetKeyId);
          if (others === undefined) this.#aliases.set(targetKeyId, [kept]);
          else others.push(kept);
          if (isOurs || foreign) this.#describer.ask(targetKeyId);
        }
        this.#progress();
        this.#describer.check();
      }
    };
    this.#areAliasesKnown = await this.#try(
      list,
      ["ACCESS_DENIED"],
      "which server a key belongs to, and when it was refreshed, is not known",
    );
    for (const keyId of this.#tags.keys()) this.#describer.ask(keyId);
  }

  #onDescribed(keyId: string, key: Described): void {
    const { names, foreign } = this.#options;
    if (typeof key === "object" && names.isForeignDescription(key.description)) this.#twin ??= key;
    if (this.#describer.described % 50 === 0) this.#progress();
    if (this.#nameless.has(keyId)) {
      // Of what may not be described nothing is known, not even whether it is ours.
      if (typeof key !== "object") return;
      const isForeign = names.trustDomainOf(key.description) === "foreign";
      if (isForeign && !foreign) {
        this.#counts.foreign++;
        return;
      }
    }
    this.#keys.set(keyId, key);
    this.#settle(keyId);
  }

  /** Tells of a key, unless something may still be seen that changes what is true of it. */
  #settle(keyId: string): void {
    const key = this.#keys.get(keyId);
    if (key === undefined) return;
    const row = judgeKey(
      {
        keyId,
        key,
        aliases: this.#aliases.get(keyId) ?? [],
        tags: this.#tags.get(keyId),
        areAliasesKnown: this.#areAliasesKnown,
      },
      this.#context,
    );
    if (this.#isListed || row.class === "in use") this.#put(row);
  }

  #put(row: KeyRow): void {
    const looks = this.#members;
    const known = this.#rows.get(row.keyId);
    if (looks === undefined || !looks.concerns(row)) this.#show(row);
    else if (known !== undefined) this.#show({ ...row, members: known.members });
    else {
      const isAsked = this.#bare.has(row.keyId);
      this.#bare.set(row.keyId, row);
      if (!isAsked) looks.look(row, (members) => this.#show({ ...(this.#bare.get(row.keyId) ?? row), members }));
    }
  }

  #show(row: KeyRow): void {
    const known = this.#rows.get(row.keyId);
    if (known !== undefined && JSON.stringify(known) === JSON.stringify(row)) return;
    this.#rows.set(row.keyId, row);
    this.#tell({ kind: "row", row });
  }

  get #context(): JudgeContext {
    return { ...this.#options, now: this.#now, trustDomain: this.#options.tags?.trustDomain, twin: this.#twin };
  }

  /** Keys without an alias: what crashes, failed generations and rotations leave. */
  async #lookAtNameless(): Promise<{ readonly listed: number | undefined; readonly notLookedAt: number }> {
    const { kms, nameless = "auto" } = this.#options;
    if (nameless === "none") return { listed: undefined, notLookedAt: 0 };
    let listed = 0;
    const list = async () => {
      for await (const { items } of this.#paced(kms.listKeys({ signal: this.#signal }))) {
        listed += items.length;
        for (const { keyId } of items) {
          if (this.#describer.has(keyId)) continue;
          if (this.#aliases.has(keyId)) this.#counts.foreign++;
          else this.#nameless.add(keyId);
        }
      }
    };
    const isDone = await this.#try(
      list,
      ["ACCESS_DENIED"],
      "keys that no alias stands on, orphans above all, are not found",
    );
    if (!isDone) return { listed: undefined, notLookedAt: 0 };
    const { size } = this.#nameless;
    if (nameless === "auto" && this.#describer.asked + size > maxDescribes) return { listed, notLookedAt: size };
    for (const keyId of this.#nameless) this.#describer.ask(keyId);
    await this.#describer.drain();
    return { listed, notLookedAt: 0 };
  }

  #progress(): void {
    const { aliasPages, aliases } = this.#counts;
    const { described, waiting } = this.#describer;
    this.#tell({ kind: "progress", progress: { aliasPages, aliases, isListed: this.#isListed, described, waiting } });
  }
}

/**
 * Rows as they come, with what happens beside them; `end` comes last.
 *
 * @throws KmsError when KMS cannot be reached, does not know the caller, or throttles without end
 */
export async function* takeInventory(options: InventoryOptions): AsyncGenerator<InventoryEvent> {
  const stop = abortController();
  const endBoth = () => stop.abort(options.signal?.reason);
  options.signal?.addEventListener("abort", endBoth, { once: true });
  if (options.signal?.aborted) endBoth();
  const { signal } = stop;
  const channel = new EventChannel<InventoryEvent>();
  const run = new Inventory(options, (event) => channel.push(event), signal).run();
  run.then(
    () => channel.close(),
    (error: unknown) => channel.close({ error }),
  );
  try {
    yield* channel;
  } finally {
    options.signal?.removeEventListener("abort", endBoth);
    stop.abort();
  }
}
