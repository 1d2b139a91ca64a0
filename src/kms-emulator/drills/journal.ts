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

/** What is known of a call when it arrives. */
type Arrival = Omit<CallRecord, "sequence" | "outcome" | "durationMs">;

/** The latest calls, at most `limit` of them; 0 = none are kept. */
export class Journal {
  readonly #limit: number;
  /** A ring: the record of sequence n is at n modulo the limit. */
  #records: OpenRecord[] = [];
  #sequence = 0;
  /** Records up to this one have been cleared. */
  #cleared = 0;

  constructor(limit: number) {
    this.#limit = Math.floor(limit);
  }

  open({ time, service, operation, region, account, caller, input }: Arrival): OpenRecord {
    this.#sequence += 1;
    const sequence = this.#sequence;
    const outcome = "pending" as const;
    const record = { sequence, time, service, operation, region, account, caller, input, outcome, durationMs: 0 };
    if (this.#limit > 0) this.#records[sequence % this.#limit] = record;
    return record;
  }

  records(): readonly CallRecord[] {
    const first = Math.max(this.#cleared + 1, this.#sequence - this.#limit + 1);
    const count = Math.max(this.#sequence - first + 1, 0);
    return Array.from({ length: count }, (_, index) => this.#records[(first + index) % this.#limit]).filter(
      (record) => record !== undefined,
    );
  }

  clear(): void {
    this.#records = [];
    this.#cleared = this.#sequence;
  }
}
