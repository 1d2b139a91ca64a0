/**
 * Keys on their way to ScheduleKeyDeletion: a bounded number of them, a few at a time.
 *
 * The durable record of what is here is KMS itself: an enabled key with our description and without an alias, or with a
 * reminder. So what a dying process leaves is found again by the scans and by the next start.
 */

import { messageOf } from "../errors.ts";
import { abortController } from "../pace/concurrency.ts";
import { LogLimit } from "../pace/log-limit.ts";
import type { KmsClient } from "../ports.ts";
import {
  type DoomedKey,
  fieldsOf,
  KeyDeletion,
  type KeyDeletionContext,
  type KeyDeletionOptions,
} from "./key-deletion.ts";

export interface DeletionQueueOptions extends KeyDeletionOptions {
  /** More than this are refused, at error with the ARN. Default 10,000. */
  readonly capacity?: number;
}

/** Attempts at once; KMS allows 15 ScheduleKeyDeletion a second. */
const maxAttemptsUnderWay = 4;

interface Pending {
  readonly deletion: KeyDeletion;
  readonly done: Promise<void>;
}

export class DeletionQueue {
  readonly #options: DeletionQueueOptions;
  readonly #stop = abortController();
  readonly #pending = new Map<string, Pending>();
  readonly #waiting: (() => void)[] = [];
  readonly #failed = new Set<string>();
  readonly #context: KeyDeletionContext;
  #underWay = 0;

  constructor(options: DeletionQueueOptions) {
    this.#options = options;
    this.#context = {
      ...options,
      stop: this.#stop.signal,
      failures: new LogLimit(options.clock),
      waiting: () => this.#pending.size,
      inTurn: (attempt) => this.#inTurn(attempt),
    };
  }

  /** Number of keys not yet scheduled. */
  get size(): number {
    return this.#pending.size;
  }

  /** Number of keys of this server not yet scheduled. */
  get ownSize(): number {
    let own = 0;
    for (const { deletion } of this.#pending.values()) if (deletion.key.isOwn) own++;
    return own;
  }

  /** Whether the key is on its way already. */
  has(keyArn: string): boolean {
    return this.#pending.has(keyArn);
  }

  /** Whether a key was here before and could not be scheduled. */
  hasFailed(keyArn: string): boolean {
    return this.#failed.has(keyArn);
  }

  /** Takes a key; a key that is already here is not taken twice. Returns at once. */
  add(key: DoomedKey): void {
    const { log, capacity = 10_000 } = this.#options;
    const { keyArn } = key;
    if (this.#pending.has(keyArn)) return;
    if (this.#pending.size >= capacity) {
      log.error("Too many keys wait for deletion: this one is left to the next start or scan", fieldsOf(key));
      return;
    }
    const deletion = new KeyDeletion(key, this.#context);
    const done = deletion
      .run()
      .then(() => {
        this.#failed.delete(keyArn);
      })
      .catch((error: unknown) => {
        if (this.#stop.signal.aborted) return;
        if (this.#failed.size < capacity) this.#failed.add(keyArn);
        log.error("Key deletion gave up: it is left to the next start or scan", {
          ...fieldsOf(key),
          reason: messageOf(error),
        });
      })
      .finally(() => {
        // A key that was reclaimed may be back by now.
        if (this.#pending.get(keyArn)?.deletion === deletion) this.#pending.delete(keyArn);
      });
    this.#pending.set(keyArn, { deletion, done });
  }

  /**
   * Takes a key out that waits here only because KMS would not schedule it, and to which nothing has happened since it
   * was made.
   *
   * @param purpose see {@link DoomedKey.purpose}
   * @param kms the client that the key must have been made with
   * @returns its ARN
   */
  reclaim(purpose: string, kms: KmsClient): string | undefined {
    for (const [keyArn, { deletion }] of this.#pending) {
      const { key } = deletion;
      if (key.purpose !== purpose || key.kms !== kms || !deletion.reclaim()) continue;
      this.#pending.delete(keyArn);
      return keyArn;
    }
    return undefined;
  }

  /** Resolves when all that is here now is done, or `signal` aborts. */
  async flush(signal: AbortSignal): Promise<void> {
    const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    const all = [...this.#pending.values()].map(({ done }) => done);
    await Promise.race([Promise.all(all), ...(signal.aborted ? [Promise.resolve()] : [aborted])]);
  }

  /** Stops waiting and retrying; names what is left in the log. */
  close(): void {
    for (const keyArn of this.#pending.keys()) {
      this.#options.log.warn("Key not yet scheduled for deletion: left to the next start or scan", { key_arn: keyArn });
    }
    this.#stop.abort();
  }

  async #inTurn<T>(attempt: () => Promise<T>): Promise<T> {
    if (this.#underWay < maxAttemptsUnderWay) this.#underWay++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await attempt();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#underWay--;
      else next();
    }
  }
}
