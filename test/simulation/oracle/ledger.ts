/** What must hold in every history of servers: judged as each call happens, and again when things have to be done. */
import type { Call, SimulatedAccount, Watcher } from "../simulated-account.ts";
import type { SimulatedServer } from "../simulated-server.ts";
import { Books, bare, type Members, serverBehind } from "./books.ts";
import { checkServer, checkUnused, slackMs } from "./dues.ts";

const minuteMs = 60_000;
/** What two replicas do at the same moment is put right by then. */
const racesMs = 2 * minuteMs;

export class Ledger implements Watcher {
  readonly #books: Books;
  readonly #isReplicated: (identity: string) => boolean;

  /** @param isReplicated whether several servers share this identity */
  constructor(account: SimulatedAccount, isReplicated: (identity: string) => boolean) {
    this.#books = new Books(account);
    this.#isReplicated = isReplicated;
    account.watchers.add(this);
  }

  get violations(): string[] {
    return this.#books.violations;
  }

  /** A server is configured. */
  isUp(server: SimulatedServer): void {
    this.#books.isUp(server);
  }

  isDown(server: SimulatedServer): void {
    this.#books.isDown(server);
  }

  isTroubled(server: SimulatedServer): void {
    const live = this.#books.live.get(server);
    if (live !== undefined) live.troubledAt = this.#books.now;
  }

  /** A server has replaced a key: it must be on its way soon. */
  hasReplaced(server: SimulatedServer, keyArn: string): void {
    const books = this.#books;
    const at = books.now;
    const look = (): void => {
      const live = books.live.get(server);
      if (live === undefined) return;
      const waitMs = Math.max(at, live.troubledAt) + slackMs - books.now;
      if (waitMs > 0) books.account.time.after(waitMs, look);
      else if (books.keys.get(bare(keyArn))?.isPending === false) books.violation(`replaced key ${bare(keyArn)} stays`);
    };
    books.account.time.after(slackMs, look);
  }

  /** Live keys of the trust domains, and those of them that are in use. */
  counts(): { readonly live: number; readonly used: number } {
    const live = [...this.#books.keys.values()].filter(
      ({ isPending, trustDomain }) => !isPending && trustDomain !== undefined,
    );
    return { live: live.length, used: live.filter((key) => this.#books.isInUse(key.keyId)).length };
  }

  onTry({ operation, input, caller }: Call): void {
    const server = serverBehind(caller);
    if (server === undefined) return;
    const { AliasName = "", TargetKeyId, KeyId = "" } = input as Members;
    if (operation === "DeleteAlias") this.#mayDeleteAlias(AliasName, server);
    if (!["ScheduleKeyDeletion", "TagResource", "UpdateAlias", "CreateAlias"].includes(operation)) return;
    const key = this.#books.keys.get(bare(TargetKeyId ?? KeyId));
    if (key !== undefined && key.trustDomain !== server.options.trustDomain) {
      this.#violation(`${server.identity} ${operation} on a key of ${key.trustDomain ?? "a stranger"}`);
    }
    const alias = this.#books.aliases.get(AliasName);
    if (alias !== undefined && alias.identity !== server.identity) {
      this.#violation(`${server.identity} ${operation} on alias ${AliasName} of ${alias.identity}`);
    }
  }

  onEffect(call: Call, output: unknown): void {
    this.#books.record(call, output);
    const { AliasName = "", TargetKeyId = "", KeyId = "" } = call.input as Members;
    if (call.operation === "UpdateAlias") this.#aliasMoved(AliasName, bare(TargetKeyId), serverBehind(call.caller));
    if (call.operation === "ScheduleKeyDeletion") this.#scheduled(bare(KeyId), serverBehind(call.caller));
  }

  /** Looks whether everything that has to be done by now is done. */
  check(): void {
    const books = this.#books;
    for (const live of books.live.values()) checkServer(books, live);
    for (const key of books.keys.values()) {
      if (key.isPending || key.trustDomain === undefined) continue;
      if (books.isInUse(key.keyId)) key.lastUsedAt = books.now;
      else checkUnused(books, key);
    }
  }

  #violation(text: string): void {
    this.#books.violation(text);
  }

  #mayDeleteAlias(aliasName: string, server: SimulatedServer): void {
    const alias = this.#books.aliases.get(aliasName);
    if (alias === undefined) return;
    if (!alias.identity?.startsWith(`${server.options.trustDomain} `)) {
      const owner = alias.identity ?? "a stranger";
      this.#violation(`${server.identity} DeleteAlias of ${aliasName}, which is ${owner}'s`);
    } else if (this.#books.isAliasInUse(aliasName)) {
      this.#violation(`${server.identity} DeleteAlias of ${aliasName}, which is in use`);
    }
  }

  #aliasMoved(aliasName: string, keyId: string, server: SimulatedServer | undefined): void {
    const { aliases, now } = this.#books;
    const alias = aliases.get(aliasName);
    if (alias === undefined) return;
    alias.updatedAt = now;
    if (alias.keyId === keyId) return;
    this.#books.used(alias.keyId);
    alias.before.set(alias.keyId, now);
    alias.keyId = keyId;
    // Of rotations at the same moment the last one stands, be it by the repetition of a call whose answer was lost.
    const movedOffAt = alias.before.get(keyId);
    if (movedOffAt === undefined || now - movedOffAt < minuteMs) return;
    this.#soon(server, () => {
      if (aliases.get(aliasName)?.keyId === keyId) this.#violation(`${aliasName} was moved back to ${keyId}`);
    });
  }

  #scheduled(keyId: string, server: SimulatedServer | undefined): void {
    const books = this.#books;
    const key = books.keys.get(keyId);
    if (key === undefined || server === undefined) return;
    key.isPending = true;
    if (books.live.get(server)?.rules.isTagMode && key.tags.get("spire-active") === "true") {
      this.#violation(`${server.identity} scheduled ${keyId} while it is marked active`);
    }
    for (const live of books.live.values()) {
      const { identity } = live.server;
      for (const use of books.usesOf(live)) {
        const stands = books.aliases.get(use.aliasName)?.keyId === keyId;
        if (!this.#isReplicated(identity) && (stands || use.keyId === keyId)) {
          this.#violation(`${server.identity} scheduled ${keyId}, which ${identity} uses`);
        }
        if (!stands) continue;
        this.#soon(server, () => {
          if (books.aliases.get(use.aliasName)?.keyId === keyId && live.server.isAlive) {
            this.#violation(`${server.identity} scheduled ${keyId}, on which ${use.aliasName} stands`);
          }
        });
      }
    }
  }

  /** Replicas race without a lock, and put right what came of it, unless the one that has to is killed meanwhile. */
  #soon(server: SimulatedServer | undefined, look: () => void): void {
    this.#books.account.time.after(racesMs, () => {
      const live = server === undefined ? undefined : this.#books.live.get(server);
      if (live !== undefined && live.troubledAt < this.#books.now - racesMs) look();
    });
  }
}
