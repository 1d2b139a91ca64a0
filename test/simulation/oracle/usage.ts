/** Which processes hold which keys, and which have held them: asked of each by the public keys that it answers with. */
import { fingerprintOf } from "../operator.ts";
import type { SimulatedAccount } from "../simulated-account.ts";
import type { SimulatedServer } from "../simulated-server.ts";
import { bare } from "./books.ts";

export interface Holding {
  readonly holder: SimulatedServer;
  readonly since: number;
}

/** A server that KMS has kept from refreshing looks dead to the others, and is not seen to be alive before it could. */
const excuseMs = 7 * 3_600_000;

export class Usage {
  readonly #account: SimulatedAccount;
  readonly #live = new Map<SimulatedServer, Map<string, number>>();
  readonly #held = new WeakMap<SimulatedServer, Set<string>>();
  readonly #keyIds = new Map<string, string>();
  readonly #troubledAt = new WeakMap<SimulatedServer, number>();

  constructor(account: SimulatedAccount) {
    this.#account = account;
  }

  get live(): readonly SimulatedServer[] {
    return [...this.#live.keys()].filter(({ isConfigured }) => isConfigured);
  }

  learn({ KeyId, PublicKey }: { readonly KeyId: string; readonly PublicKey: Uint8Array }): void {
    this.#keyIds.set(fingerprintOf(PublicKey), bare(KeyId));
  }

  /** What the process holds at this moment. */
  note(server: SimulatedServer): void {
    if (!server.isConfigured) {
      this.#live.delete(server);
      return;
    }
    const before = this.#live.get(server);
    const now = this.heldBy(server);
    this.#live.set(server, new Map(now.map(({ keyId }) => [keyId, before?.get(keyId) ?? this.#account.time.now])));
    for (const { keyId } of now) this.hold(server, keyId);
  }

  /** The keys of its ids, as KMS names them. */
  heldBy(server: SimulatedServer): readonly { readonly id: string; readonly keyId: string }[] {
    return [...server.entries.values()].map(({ keyId, fingerprint }) => ({
      id: keyId,
      keyId: this.#keyIds.get(fingerprint) ?? fingerprint,
    }));
  }

  /** It has made the key, or had it under one of its ids, or has moved its alias off it. */
  hold(server: SimulatedServer, keyId: string): void {
    const held = this.#held.get(server) ?? new Set<string>();
    this.#held.set(server, held.add(keyId));
  }

  hasHeld(server: SimulatedServer, keyId: string): boolean {
    return this.#held.get(server)?.has(keyId) ?? false;
  }

  holders(keyId: string): readonly Holding[] {
    for (const server of this.#live.keys()) this.note(server);
    return [...this.#live].flatMap(([holder, held]) => {
      const since = held.get(keyId);
      return since === undefined ? [] : [{ holder, since }];
    });
  }

  isTroubled(server: SimulatedServer): void {
    this.#troubledAt.set(server, this.#account.time.now);
  }

  isExcused(server: SimulatedServer): boolean {
    return this.#account.time.now - (this.#troubledAt.get(server) ?? Number.NEGATIVE_INFINITY) < excuseMs;
  }
}
