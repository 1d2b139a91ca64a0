/**
 * Why a deletion that has just been scheduled must not be, by the rules of docs/pruning.md in our own reading.
 *
 * KMS has no compare-and-set, so what has come to be since the server last looked is not held against it.
 */
import type { SimulatedAccount } from "../simulated-account.ts";
import type { SimulatedServer } from "../simulated-server.ts";
import type { Custody, KeyFacts } from "./custody.ts";
import type { Looks } from "./looks.ts";
import { isAliasOfTrustDomain, isOwnAlias, ownerByDescription } from "./spelling.ts";
import { upkeepRulesOf } from "./upkeep-rules.ts";
import type { Usage } from "./usage.ts";

const minuteMs = 60_000;
/** How old what KMS shows may be. */
const lagMs = 5_000;
const confirmMs = 15 * minuteMs;
/** AWS refuses signatures that are further away (SigV4). */
const maxSkewMs = 15 * minuteMs;

const specs = new Set(["ECC_NIST_P256", "ECC_NIST_P384", "RSA_2048", "RSA_4096"]);

export interface Evidence {
  readonly custody: Custody;
  readonly usage: Usage;
  readonly looks: Looks;
}

export class Judgement {
  readonly #account: SimulatedAccount;
  readonly #evidence: Evidence;
  /** Since when a process's clock and the `Date` of KMS's answers are as far apart as they are. */
  readonly #clockChangedAt = new WeakMap<SimulatedServer, number>();

  constructor(account: SimulatedAccount, evidence: Evidence) {
    this.#account = account;
    this.#evidence = evidence;
  }

  /** A process's clock, or KMS's, has jumped. */
  clockChanged(server: SimulatedServer): void {
    this.#clockChangedAt.set(server, this.#account.time.now);
  }

  /** Whether the server's own word is enough: it has made or used the key, and does so no more. */
  isOwn(server: SimulatedServer, key: KeyFacts): boolean {
    return this.#evidence.usage.hasHeld(server, key.keyId) || this.#isSuperseded(server, key);
  }

  /** Empty when it may go. */
  reasons(server: SimulatedServer, key: KeyFacts, isOwn: boolean): readonly string[] {
    return [
      ...this.#inUse(server, key),
      ...this.#notOurs(server, key, isOwn),
      ...this.#aliases(server, key, isOwn),
      ...(isOwn ? [] : this.#byScan(server, key)),
    ];
  }

  /** Whether something that holds since then could be known at the server's last look at the key. */
  #known(server: SimulatedServer, keyId: string, operation: string, since: number): boolean {
    const last = this.#evidence.looks.last(server, keyId, operation);
    return last === undefined || since < last - lagMs;
  }

  #inUse(server: SimulatedServer, key: KeyFacts): readonly string[] {
    return this.#evidence.usage
      .holders(key.keyId)
      .filter(({ holder, since }) => {
        if (holder === server) return true;
        // A copied identity takes its keys from the other, as under the built-in plugin.
        if (holder.identity === server.identity) return false;
        const standing = [...key.aliases.keys()].some((name) =>
          isOwnAlias(name, holder.options.trustDomain, holder.options.serverId),
        );
        return (
          standing && this.#known(server, key.keyId, "ListAliases", since) && !this.#evidence.usage.isExcused(holder)
        );
      })
      .map(({ holder }) => `${holder.identity} uses it`);
  }

  #notOurs(server: SimulatedServer, key: KeyFacts, isOwn: boolean): readonly string[] {
    const { trustDomain } = server.options;
    const reasons: string[] = [];
    const owner = ownerByDescription(key.description, trustDomain);
    const isTakenOver = isOwn && /(^|[A-Za-z0-9/_-])(x509-CA-A|JWT-Signer-B)$/.test(key.description);
    if (owner === "foreign" && !isTakenOver && this.#known(server, key.keyId, "DescribeKey", key.describedSince)) {
      reasons.push(`its description is ${JSON.stringify(key.description)}`);
    }
    if (owner === "shared" && !isOwn && key.tags.get("spire-server-td") !== trustDomain) {
      reasons.push("a twin may have made it");
    }
    if (key.keyUsage !== "SIGN_VERIFY" || !specs.has(key.keySpec)) reasons.push("no plugin of SPIRE can have made it");
    if (key.replicatedSince !== undefined && this.#known(server, key.keyId, "DescribeKey", key.replicatedSince)) {
      reasons.push("it has a replica");
    }
    return reasons;
  }

  #aliases(server: SimulatedServer, key: KeyFacts, isOwn: boolean): readonly string[] {
    const { trustDomain, serverId } = server.options;
    const { staleAliasThresholdMs, isTagMode } = upkeepRulesOf(server.settings ?? {});
    const kmsNow = this.#account.control.now().getTime();
    const known = [...key.aliases].filter(([, { since }]) => this.#known(server, key.keyId, "ListAliases", since));
    const wrong = known.filter(([name, { refreshedAtMs }]) => {
      if (isOwn) return name !== `alias/${key.description}`;
      const isStale = kmsNow - refreshedAtMs >= staleAliasThresholdMs - lagMs;
      return (
        !isAliasOfTrustDomain(name, trustDomain) || !isStale || (isOwnAlias(name, trustDomain, serverId) && !isTagMode)
      );
    });
    const many = !isOwn && !isTagMode && known.length > 1 ? ["several aliases stand on it"] : [];
    return [...wrong.map(([name]) => `${name} stands on it`), ...many];
  }

  #byScan(server: SimulatedServer, key: KeyFacts): readonly string[] {
    const { now } = this.#account.time;
    const kmsNow = this.#account.control.now().getTime();
    const rules = upkeepRulesOf(server.settings ?? {});
    const isOwnByTags = rules.isTagMode && key.tags.get("spire-server-id") === server.options.serverId;
    const isKey = isOwnByTags || (!rules.isTagMode && key.aliases.size === 0);
    const thresholdMs = isKey ? rules.staleKeyThresholdMs : rules.staleAliasThresholdMs;
    const reasons: string[] = [];
    const { signed } = key;
    if (
      signed !== undefined &&
      kmsNow - signed.atMs < thresholdMs - lagMs &&
      this.#known(server, key.keyId, "GetKeyLastUsage", signed.at + lagMs)
    ) {
      reasons.push(`it signed ${Math.round((kmsNow - signed.atMs) / minuteMs)} min ago`);
    }
    if (
      kmsNow - key.createdAtMs < Math.min(rules.staleKeyThresholdMs, thresholdMs) - lagMs &&
      key.tags.get("spire-active") !== "false"
    ) {
      reasons.push("it is young");
    }
    const first = this.#evidence.looks.first(server, key.keyId);
    if (first === undefined || now - first < confirmMs - lagMs) reasons.push("its first look was a moment ago");
    const apartMs = Math.abs(server.clock.now().getTime() - this.#account.dateOfAnswers.getTime());
    const changedAt = this.#clockChangedAt.get(server) ?? Number.NEGATIVE_INFINITY;
    if (apartMs > maxSkewMs && this.#known(server, key.keyId, "ListAliases", changedAt)) {
      reasons.push(`its clock is ${Math.round(apartMs / minuteMs)} min off`);
    }
    return reasons;
  }

  /** Tagged by an earlier process of this server for an id whose alias stands on a younger key. */
  #isSuperseded({ options: { trustDomain, serverId } }: SimulatedServer, { tags, createdAtMs }: KeyFacts): boolean {
    if (tags.get("spire-server-td") !== trustDomain || tags.get("spire-server-id") !== serverId) return false;
    return [...this.#evidence.custody.targets].some(
      ([name, target]) =>
        isOwnAlias(name, trustDomain, serverId) &&
        name.endsWith(`/${tags.get("spire-key-id")}`) &&
        (this.#evidence.custody.keys.get(target)?.createdAtMs ?? 0) > createdAtMs,
    );
  }
}
