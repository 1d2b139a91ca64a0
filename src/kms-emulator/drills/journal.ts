/** The journal: every call as it arrived and as it ended. */
import type { Service } from "../framework/operation.ts";
import type { Caller } from "../identity.ts";

/**
 * `pending`: still running, delayed or held by a pause. `lost`: it took effect and the reply was thrown away. `reset`: the
 * connection was cut before it took effect.
 */
export type CallOutcome = "pending" | "ok" | "error" | "lost" | "reset";

/** One call, as it arrived and as it ended. A record that is `pending` is updated in place. */
export interface CallRecord {
  /** 1, 2, 3 … in order of arrival. */
  readonly sequence: number;
  /** Arrival, on the emulator's clock. */
  readonly time: Date;
  readonly service: Service;
  readonly operation: string;
  readonly region: string;
  readonly account: string;
  readonly caller: Caller;
  /** As received: blobs are base64 over HTTP and may be bytes in process. */
  readonly input: unknown;
  readonly outcome: CallOutcome;
  readonly error?: { readonly name: string; readonly message: string };
  /** Dates and bytes as `Date` and `Uint8Array`. Present for `ok` and `lost`, if the operation has an output. */
  readonly output?: unknown;
  /** On the emulator's clock. */
  readonly durationMs: number;
}

export type OpenRecord = { -readonly [K in keyof CallRecord]: CallRecord[K] };

/** The latest calls, at most `limit` of them; 0 = none are kept. */
export class Journal {
  readonly #limit: number;
  #records: OpenRecord[] = [];
  #sequence = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  open(parts: Omit<CallRecord, "sequence" | "outcome" | "durationMs">): OpenRecord {
    this.#sequence += 1;
    const record: OpenRecord = { ...parts, sequence: this.#sequence, outcome: "pending", durationMs: 0 };
    if (this.#limit > 0) this.#records.push(record);
    // Trimmed in bulk, so that a long journal costs nothing per call.
    if (this.#records.length > this.#limit * 2) this.#records = this.#records.slice(-this.#limit);
    return record;
  }

  records(): readonly CallRecord[] {
    return this.#limit === 0 ? [] : this.#records.slice(-this.#limit);
  }

  clear(): void {
    this.#records = [];
  }
}
