/** Pauses: hold one call until a tester lets it go. */
import { EmulatorError } from "../errors.ts";
import type { Caller } from "../identity.ts";
import { namesOperation } from "./faults.ts";
import type { CallRecord } from "./journal.ts";

export interface PauseRule {
  readonly operation: string;
  /** `before` it takes effect, or `after` it took effect and before the reply. A failed call is held "after", too. */
  readonly when: "before" | "after";
  /** Which matching call is held, 1 = the next. Default 1. */
  readonly nth?: number;
  readonly match?: (input: unknown, caller: Caller) => boolean;
}

/** Holds one call. */
export interface PauseHandle {
  /** Resolves when the call is being held; rejects with EmulatorError CLOSED if the emulator closes first. */
  readonly reached: Promise<CallRecord>;
  /** Lets the call go on; before it was reached: cancels the pause. */
  release(): void;
}

interface ActivePause {
  readonly rule: PauseRule;
  seen: number;
  readonly reach: (record: CallRecord) => void;
  readonly fail: (error: Error) => void;
  readonly released: Promise<void>;
  readonly release: () => void;
}

export class Pauses {
  readonly #waiting = new Set<ActivePause>();
  readonly #holding = new Set<ActivePause>();

  /** Whether any call can be held. */
  get isWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  add(rule: PauseRule): PauseHandle {
    let reach: (record: CallRecord) => void = () => {};
    let fail: (error: Error) => void = () => {};
    let release: () => void = () => {};
    const reached = new Promise<CallRecord>((resolve, reject) => {
      reach = resolve;
      fail = reject;
    });
    reached.catch(() => {}); // a tester need not wait for it
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const pause: ActivePause = { rule, seen: 0, reach, fail, released, release };
    this.#waiting.add(pause);
    return {
      reached,
      release: () => {
        this.#waiting.delete(pause);
        release();
      },
    };
  }

  /** The promise to wait for if a pause holds this call here. */
  hold(when: PauseRule["when"], record: CallRecord): Promise<void> | undefined {
    for (const pause of this.#waiting) {
      const { rule } = pause;
      if (rule.when !== when || !namesOperation(rule, record.operation)) continue;
      if (rule.match && !rule.match(record.input, record.caller)) continue;
      pause.seen += 1;
      if (pause.seen < (rule.nth ?? 1)) continue;
      this.#waiting.delete(pause);
      this.#holding.add(pause);
      pause.reach(record);
      return pause.released.finally(() => this.#holding.delete(pause));
    }
    return undefined;
  }

  /** Lets everything go: the emulator closes, or begins anew. */
  close(reason = "the emulator was closed"): void {
    for (const pause of this.#waiting) pause.fail(new EmulatorError("CLOSED", reason));
    this.#waiting.clear();
    for (const pause of this.#holding) pause.release();
  }
}
