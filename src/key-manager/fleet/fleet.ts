/**
 * The servers of one trust domain in one account and Region, as their aliases show them: how many there are, and which
 * of them scans for stale keys this time.
 *
 * Nothing is written down anywhere and no server is asked: a round belongs to the first server in a random order that all of
 * them know, and those after it look whether it lives. A server that knows too little scans once too often, and
 * never too seldom: the first one that lives finds none alive before itself.
 */
import type { UpkeepConfig } from "../config.ts";
import { explain } from "../errors.ts";
import { isMultiRegionKeyId } from "../keys/multi-region-key.ts";
import type { KeyNames } from "../names.ts";
import type { AliasListEntry, CallOptions, Clock, KeyMetadata, KmsClient, Logger } from "../ports.ts";
import { predecessors } from "./turn.ts";

/** So many servers all scan, each in its own rhythm: that costs little, and a fault of one of them costs nothing. */
const smallFleet = 8;
/** So many servers before us are looked at; if none lives, the scan is ours. */
const maxLooks = 8;
/** A server that has missed two refreshes is taken for dead: then another one scans, and nothing else follows. */
const missedRefreshes = 2.5;
/** UpdateAlias a second for the whole account, by AWS's quota, less what rotations and other programs want. */
const refreshesPerSecond = 2;

/** A large fleet that rotates at one time shares 5 CreateKey a second: whoever is throttled waits for its turn, within SPIRE's 30 s. */
const throttledForMs = 10_000;
/**
 * And 5 alias calls. A key would have been made in vain if its alias were given up: it is brought to its place behind a caller
 * who has given up, and handed out when SPIRE asks again.
 */
const aliasThrottledForMs = 120_000;
/** Who waits asks again as often as two for each call that KMS allows: the quota is used up, and few ask in vain. */
const triesPerSecond = 10;

export interface FleetOptions {
  readonly kms: Pick<KmsClient, "listAliases" | "describeKey">;
  readonly names: Pick<KeyNames, "serverId" | "ownerOf" | "trustDomainOf">;
  readonly clock: Clock;
  readonly log: Logger;
  /** Undefined: this plugin neither refreshes nor scans. */
  readonly upkeep: Pick<UpkeepConfig, "aliasRefreshIntervalMs" | "shareScans"> | undefined;
  /** The Regions whose replicas this server prunes with their keys; none: it prunes single-Region keys only. */
  readonly lookedAfter?: readonly string[];
}

/** A server, by the one of its aliases that was refreshed last. */
interface Neighbour {
  readonly aliasName: string;
  readonly isMultiRegion: boolean;
  readonly lastUpdatedMs: number;
}

export class Fleet {
  readonly #options: FleetOptions;
  readonly #aliveForMs: number;
  /** One alias of each; undefined until aliases have been listed. */
  #neighbours: readonly string[] | undefined;
  /** Those whose alias stands on a multi-Region key. */
  #multiRegionNeighbours: readonly string[] = [];
  #aliases = 0;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#aliveForMs = missedRefreshes * (options.upkeep?.aliasRefreshIntervalMs ?? 0);
  }

  /** @param aliases all of the account, or all of the trust domain @param now KMS's time */
  learn(aliases: Iterable<AliasListEntry>, now: Date): void {
    const { names } = this.#options;
    const neighbours = new Map<string, Neighbour>();
    this.#aliases = 0;
    for (const { aliasName, lastUpdatedDate, targetKeyId = "" } of aliases) {
      const server = names.ownerOf(aliasName, "")?.serverId;
      const lastUpdatedMs = lastUpdatedDate?.getTime();
      if (server === undefined || lastUpdatedMs === undefined) continue;
      this.#aliases++;
      if (now.getTime() - lastUpdatedMs > this.#aliveForMs) continue;
      const known = neighbours.get(server);
      if (known === undefined || known.lastUpdatedMs < lastUpdatedMs)
        neighbours.set(server, { aliasName, lastUpdatedMs, isMultiRegion: isMultiRegionKeyId(targetKeyId) });
    }
    const all = [...neighbours.values()];
    this.#neighbours = all.map(({ aliasName }) => aliasName);
    this.#multiRegionNeighbours = all.filter(({ isMultiRegion }) => isMultiRegion).map(({ aliasName }) => aliasName);
  }

  /** Within this time after the start a fleet that starts as one can refresh all of its aliases; 0 for a small one. */
  get refreshSpreadMs(): number {
    return this.#isLarge ? (this.#aliases / refreshesPerSecond) * 1_000 : 0;
  }

  /** Options of CreateKey, which all servers of a fleet may call at one time. */
  get throttlePatience(): CallOptions {
    return this.#patience(throttledForMs);
  }

  /** Options of the alias call that follows it. */
  get aliasPatience(): CallOptions {
    return this.#patience(aliasThrottledForMs);
  }

  #patience(forMs: number): CallOptions {
    if (!this.#isLarge) return {};
    const servers = this.#neighbours?.length ?? 0;
    return { throttledForMs: forMs, throttledWaitMs: Math.min((servers / triesPerSecond) * 1_000, throttledForMs / 2) };
  }

  /**
   * Whether this server is to scan in the interval of time that it is now.
   *
   * @param scan its name; scans of different names go to different servers
   */
  async isOurTurn(scan: string, intervalMs: number, signal: AbortSignal): Promise<boolean> {
    const { names, clock, upkeep } = this.#options;
    // Who dies unseen for several intervals would be waited for in each.
    if (!upkeep?.shareScans || intervalMs < this.#aliveForMs) return true;
    if (this.#neighbours === undefined) await this.#list(signal);
    if (this.#neighbours === undefined || !this.#isLarge) return true;
    const round = `${scan} ${intervalMs} ${Math.floor(clock.now().getTime() / intervalMs)}`;
    const rivals = this.#lookedAfter.length === 0 ? this.#neighbours : this.#multiRegionNeighbours;
    const aliases = new Map(rivals.map((alias) => [names.ownerOf(alias, "")?.serverId ?? "", alias]));
    for (const server of predecessors(round, names.serverId, aliases.keys()).slice(0, maxLooks)) {
      const alias = aliases.get(server);
      if (alias !== undefined && (await this.#scans(alias, signal))) return false;
    }
    return true;
  }

  get #isLarge(): boolean {
    return (this.#neighbours?.length ?? 0) > smallFleet;
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { kms, clock, log } = this.#options;
    try {
      const aliases: AliasListEntry[] = [];
      let now = clock.now();
      for await (const page of kms.listAliases(undefined, { signal })) {
        aliases.push(...page.items);
        now = page.serverTime ?? now;
      }
      this.learn(aliases, now);
    } catch (error) {
      signal.throwIfAborted();
      log.debug("Other servers are not known: this one scans", { reason: explain(error) });
    }
  }

  get #lookedAfter(): readonly string[] {
    return this.#options.lookedAfter ?? [];
  }

  /** Whether a server whose key has these members prunes all that this one would: replicas, if it has them itself. */
  #canScanForUs({ multiRegion }: KeyMetadata): boolean {
    const members = [multiRegion?.primaryRegion, ...(multiRegion?.replicaRegions ?? [])];
    return this.#lookedAfter.every((region) => members.includes(region));
  }

  /**
   * Whether the server lives and can scan for this one. Two calls that cost KMS nothing, however large the fleet. In doubt it does not:
   * then one scan more is made.
   */
  async #scans(aliasName: string, signal: AbortSignal): Promise<boolean> {
    const { kms, names, clock } = this.#options;
    try {
      const key = await kms.describeKey(aliasName, { signal });
      const { keyId, description } = key;
      // A server of a trust domain that is written alike (`a.b` and `a_b`) prunes nothing of ours.
      if (names.trustDomainOf(description) === "foreign" || !this.#canScanForUs(key)) return false;
      for await (const { items, serverTime } of kms.listAliases(keyId, { signal })) {
        const updated = items.find((alias) => alias.aliasName === aliasName)?.lastUpdatedDate;
        if (updated !== undefined) {
          return (serverTime ?? clock.now()).getTime() - updated.getTime() <= this.#aliveForMs;
        }
      }
      return false;
    } catch {
      signal.throwIfAborted();
      return false;
    }
  }
}
