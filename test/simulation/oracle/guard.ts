/**
 * Guards keys from KMS's side: judges each write of a server at the moment when it takes effect.
 */
import type { Call, SimulatedAccount, Watcher } from "../simulated-account.ts";
import type { SimulatedServer } from "../simulated-server.ts";
import { bare, type Members, serverBehind } from "./books.ts";
import { Custody, type KeyFacts } from "./custody.ts";
import { Judgement } from "./judgement.ts";
import { Looks } from "./looks.ts";
import { isAliasOfTrustDomain, isOwnAlias } from "./spelling.ts";
import { Usage } from "./usage.ts";

export class Guard implements Watcher {
  readonly account: SimulatedAccount;
  readonly custody = new Custody();
  readonly usage: Usage;
  readonly violations: string[] = [];
  readonly #looks = new Looks();
  readonly #judgement: Judgement;
  /** Deletions that were judged. */
  judged = 0;

  constructor(account: SimulatedAccount) {
    this.account = account;
    this.usage = new Usage(account);
    this.#judgement = new Judgement(account, { custody: this.custody, usage: this.usage, looks: this.#looks });
    account.watchers.add(this);
  }

  /** A process's clock, or KMS's, has jumped. */
  clockChanged(server: SimulatedServer): void {
    this.#judgement.clockChanged(server);
  }

  violation(text: string): void {
    this.violations.push(`${new Date(this.account.time.now).toISOString()} ${text}`);
  }

  onTry({ operation, input, caller }: Call): void {
    const server = serverBehind(caller);
    if (server === undefined) return;
    this.usage.note(server);
    const { AliasName, TargetKeyId, KeyId } = input as Members;
    if (operation === "CreateAlias" || operation === "UpdateAlias") this.#mayPoint(server, AliasName ?? "");
    if (operation === "DeleteAlias") this.#mayDeleteAlias(server, AliasName ?? "");
    if (/^(CreateAlias|UpdateAlias|TagResource|UntagResource|ScheduleKeyDeletion)$/.test(operation)) {
      this.#mayTouch(server, operation, this.custody.find(TargetKeyId ?? KeyId));
    }
  }

  onEffect(call: Call, output: unknown): void {
    const server = serverBehind(call.caller);
    const { KeyId, AliasName, TargetKeyId } = call.input as Members;
    const moment = { now: this.account.time.now, kmsNow: this.account.control.now().getTime() };
    if (call.operation === "GetPublicKey") this.usage.learn(output as { KeyId: string; PublicKey: Uint8Array });
    const key = this.custody.find(KeyId);
    if (server !== undefined && key !== undefined) {
      if (call.operation === "ScheduleKeyDeletion" && !key.isPending) this.#judge(server, key);
      this.#looks.note(server, key.keyId, call.operation, moment.now);
    }
    if (server !== undefined && call.operation === "UpdateAlias") {
      const before = this.custody.targets.get(AliasName ?? "");
      if (before !== undefined && before !== bare(TargetKeyId ?? "")) this.usage.hold(server, before);
    }
    this.custody.record(call, output, moment);
    if (server !== undefined && call.operation === "CreateKey") {
      this.usage.hold(server, (output as { KeyMetadata: { KeyId: string } }).KeyMetadata.KeyId);
    }
  }

  #mayPoint(server: SimulatedServer, aliasName: string): void {
    const { trustDomain, serverId } = server.options;
    if (!isOwnAlias(aliasName, trustDomain, serverId)) {
      this.violation(`${server.identity} points ${aliasName}, which is not its own`);
    }
  }

  #mayDeleteAlias(server: SimulatedServer, aliasName: string): void {
    const { trustDomain, serverId } = server.options;
    const key = this.custody.find(aliasName);
    if (!isAliasOfTrustDomain(aliasName, trustDomain) || isOwnAlias(aliasName, trustDomain, serverId)) {
      this.violation(`${server.identity} deletes ${aliasName}`);
    } else if (key !== undefined && !key.isPending) {
      this.violation(`${server.identity} deletes ${aliasName} off a key that is not scheduled`);
    }
  }

  /** What a server of another trust domain has made is never touched, unless an operator has described it anew. */
  #mayTouch(server: SimulatedServer, operation: string, key: KeyFacts | undefined): void {
    const maker = key === undefined || key.descriptions.size > 1 ? undefined : serverBehind(key.maker);
    if (maker !== undefined && maker.options.trustDomain !== server.options.trustDomain) {
      this.violation(`${server.identity} ${operation} on a key that ${maker.identity} has made`);
    }
  }

  #judge(server: SimulatedServer, key: KeyFacts): void {
    this.judged++;
    const isOwn = this.#judgement.isOwn(server, key);
    for (const reason of this.#judgement.reasons(server, key, isOwn)) {
      this.violation(`${server.identity} scheduled ${key.keyId} (${isOwn ? "its own" : "by scan"}): ${reason}`);
    }
  }
}
