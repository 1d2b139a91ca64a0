/** What lives for a limited time beside the keys: sessions of STS and import tokens. */
import { dayMs, type ImportTokenRecord, type Mutation, type SessionRecord } from "./records.ts";

export class Credentials {
  readonly #sessions = new Map<string, SessionRecord>();
  readonly #importTokens = new Map<string, ImportTokenRecord>();

  session(accessKeyId: string): SessionRecord | undefined {
    return this.#sessions.get(accessKeyId);
  }

  importToken(tokenId: string): ImportTokenRecord | undefined {
    return this.#importTokens.get(tokenId);
  }

  /** Sessions are kept for a day after they ended, to be refused as expired rather than as unknown. */
  putSession(session: SessionRecord, atMs: number): void {
    for (const [accessKeyId, { expiresAtMs }] of this.#sessions) {
      if (expiresAtMs > atMs - dayMs) break;
      this.#sessions.delete(accessKeyId);
    }
    this.#sessions.set(session.accessKeyId, session);
  }

  /** Likewise. */
  putImportToken(token: ImportTokenRecord, atMs: number): void {
    for (const [tokenId, { validToMs }] of this.#importTokens) {
      if (validToMs > atMs - dayMs) break;
      this.#importTokens.delete(tokenId);
    }
    this.#importTokens.set(token.tokenId, token);
  }

  clear(): void {
    this.#sessions.clear();
    this.#importTokens.clear();
  }

  *snapshot(): Generator<Mutation> {
    for (const session of this.#sessions.values()) yield { kind: "put-session", session };
    for (const token of this.#importTokens.values()) yield { kind: "put-import-token", token };
  }
}
