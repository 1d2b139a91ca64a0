/**
 * Keys on their way to ScheduleKeyDeletion: a bounded number of them, a few at a time.
 *
 * The durable record of what is here is KMS itself: an enabled key with our description and without an alias, or with a
 * reminder. So what a dying process leaves is found again by the scans and by the next start.
 */

import type { DeletionOutcome, DeletionRequest, Deletions } from "../deletions.ts";
import { messageOf } from "../errors.ts";
import { abortController } from "../pace/concurrency.ts";
import { LogLimit } from "../pace/log-limit.ts";
import type { KmsClient } from "../ports.ts";
import { fieldsOf, type KeyDeletionContext, type KeyDeletionOptions } from "./deletion-context.ts";
import { KeyDeletion } from "./key-deletion.ts";

export interface DeletionQueueOptions extends KeyDeletionOptions {
  /** More than this are refused, at error with the ARN. Default 10,000. */
  readonly capacity?: number;
}

/** Attempts at once; KMS allows 15 ScheduleKeyDeletion a second. */
const maxAttemptsUnderWay = 4;

interface Pending {
  readonly deletion: KeyDeletion;
  readonly done: Promise<DeletionOutcome>;
}

export class DeletionQueue implements Deletions {
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

  get ownSize(): number {
    let own = 0;
    for (const { deletion } of this.#pending.values()) if (deletion.request.isOwn) own++;
    return own;
  }

  has(keyArn: string): boolean {
    return this.#pending.has(keyArn);
  }

  hasFailed(keyArn: string): boolean {
    return this.#failed.has(keyArn);
  }

  schedule(request: DeletionRequest): Promise<DeletionOutcome> {
    const { log, capacity = 10_000 } = this.#options;
    const { keyArn } = request;
    const pending = this.#pending.get(keyArn);
    if (pending !== undefined) return pending.done;
    if (this.#pending.size >= capacity) {
      log.error("Too many keys wait for deletion: this one is left to the next start or scan", fieldsOf(request));
      return Promise.resolve("not done");
    }
    const deletion = new KeyDeletion(request, this.#context);
    const done = deletion
      .run()
      .then((outcome) => {
        this.#failed.delete(keyArn);
        return outcome;
      })
      .catch((error: unknown): DeletionOutcome => {
        if (this.#stop.signal.aborted) return "not done";
        if (this.#failed.size < capacity) this.#failed.add(keyArn);
        log.error("Key deletion gave up: it is left to the next start or scan", {
          ...fieldsOf(request),
          reason: messageOf(error),
        });
        return "not done";
      })
      .finally(() => {
        // A key that was reclaimed may be back by now.
        if (this.#pending.get(keyArn)?.deletion === deletion) this.#pending.delete(keyArn);
      });
    this.#pending.set(keyArn, { deletion, done });
    return done;
  }

  reclaim(purpose: string, kms: KmsClient): string | undefined {
    for (const [keyArn, { deletion }] of this.#pending) {
      const { request } = deletion;
      if (request.purpose !== purpose || request.kms !== kms || !deletion.reclaim()) continue;
      this.#pending.delete(keyArn);
      return keyArn;
    }
    return undefined;
  }

  /** Resolves when all that is here now is done, or `signal` aborts. */
  async flush(signal: AbortSignal): Promise<void> {
    const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    const all = [...this.#pending.values()].map(async ({ deletion, done }) => {
      void deletion.remindSoon();
      await done;
    });
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
