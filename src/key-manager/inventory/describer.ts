/** DescribeKey of keys as they are met: each once, a few at a time, each call in its turn, and told in the order asked. */

import type { Pacer } from "../pace/pacer.ts";
import { isKmsError, type KeyMetadata, type KmsClient, type KmsError } from "../ports.ts";
import { BackgroundJobs } from "./background-jobs.ts";

export type Described = KeyMetadata | "NOT_FOUND" | "ACCESS_DENIED";

export interface DescriberOptions {
  readonly kms: Pick<KmsClient, "describeKey">;
  readonly pacer: Pacer;
  readonly signal: AbortSignal;
  readonly onDescribed: (keyId: string, key: Described) => void;
  /** Told of the first key that may not be described. */
  readonly onDenied: (error: KmsError) => void;
}

const atOnce = 16;

export class Describer {
  readonly #options: DescriberOptions;
  readonly #asked = new Set<string>();
  readonly #jobs = new BackgroundJobs(atOnce);
  /** What was asked for and not told yet, in order; undefined: no answer so far. */
  readonly #untold = new Map<string, Described | undefined>();
  #done = 0;
  #isDenied = false;

  constructor(options: DescriberOptions) {
    this.#options = options;
  }

  get asked(): number {
    return this.#asked.size;
  }

  get described(): number {
    return this.#done;
  }

  get waiting(): number {
    return this.#jobs.waiting;
  }

  has(keyId: string): boolean {
    return this.#asked.has(keyId);
  }

  /** Asks for a key, unless it was asked for before. */
  ask(keyId: string): void {
    if (this.#asked.has(keyId)) return;
    this.#asked.add(keyId);
    this.#untold.set(keyId, undefined);
    this.#jobs.add(async () => {
      this.#untold.set(keyId, await this.#describe(keyId));
      this.#tell();
    });
  }

  /** @throws what stopped it */
  check(): void {
    this.#jobs.check();
  }

  /** Resolves when all that was asked for is told. @throws what stopped it */
  drain(): Promise<void> {
    return this.#jobs.drain();
  }

  #tell(): void {
    for (const [keyId, key] of this.#untold) {
      if (key === undefined) return;
      this.#untold.delete(keyId);
      this.#done++;
      this.#options.onDescribed(keyId, key);
    }
  }

  async #describe(keyId: string): Promise<Described> {
    const { kms, pacer, signal, onDenied } = this.#options;
    await pacer.turn(signal);
    signal.throwIfAborted();
    try {
      // Thousands of calls would leave as many listeners on one signal; each of them is soon over by itself.
      return await kms.describeKey(keyId);
    } catch (error) {
      if (isKmsError(error, "NOT_FOUND")) return "NOT_FOUND";
      if (!isKmsError(error, "ACCESS_DENIED")) throw error;
      if (!this.#isDenied) onDenied(error);
      this.#isDenied = true;
      return "ACCESS_DENIED";
    }
  }
}
