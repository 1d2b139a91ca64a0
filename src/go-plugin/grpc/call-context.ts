/** What a call is to its handler (who asks, until when, is it cancelled) and to the server that has to end it. */
import { setMaxListeners } from "node:events";
import type { Logger } from "../hclog/logger.ts";
import { StatusError } from "./status-error.ts";

/**
 * A call's end before its answer, for a hot path: to such a one an `AbortSignal` of its own is dear, and hardly ever used.
 */
export interface Cancellation {
  readonly isCancelled: boolean;
  /** Listeners are called once. */
  onCancel(listener: () => void): void;
  offCancel(listener: () => void): void;
  /** The same as a signal, which is made when it is asked for. */
  readonly signal: AbortSignal;
}

/** What a handler knows of the call it answers, beside the request. */
export interface CallContext {
  /** Full method name, such as `grpc.health.v1.Health/Check`. */
  readonly method: string;
  /**
   * Aborted when the caller cancels or hangs up, when the deadline passes, and when the plugin stops; never after the
   * handler has answered. Its reason is a `StatusError`, fit to be thrown.
   */
  readonly signal: AbortSignal;
  /** The same without the price of a signal, where the server has it. */
  readonly cancellation?: Cancellation;
  /** When the caller gives up; undefined for a call without a limit. */
  readonly deadline: Date | undefined;
  readonly log: Logger;
}

/** The calls a server is answering, so that stopping it can tell them. */
export class CallTracker {
  readonly #calls = new Set<ServerCallContext>();
  #stopReason: StatusError | undefined;

  start(context: ServerCallContext): void {
    this.#calls.add(context);
    if (this.#stopReason !== undefined) context.cancel(this.#stopReason);
  }

  end(context: ServerCallContext): void {
    this.#calls.delete(context);
    context.finish();
  }

  cancelAll(reason: StatusError): void {
    this.#stopReason = reason;
    for (const context of this.#calls) context.cancel(reason);
  }
}

/** Makes its signal and logger when asked: most calls need neither, and signing is a hot path. */
export class ServerCallContext implements CallContext, Cancellation {
  readonly method: string;
  readonly deadline: Date | undefined;
  readonly #baseLog: Logger;
  #log: Logger | undefined;
  #controller: AbortController | undefined;
  #cancelReason: StatusError | undefined;
  #listeners: readonly (() => void)[] = [];
  #isOver = false;

  constructor(method: string, deadline: Date | undefined, log: Logger) {
    this.method = method;
    this.deadline = deadline;
    this.#baseLog = log;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      // One call may wait for any number of others.
      setMaxListeners(0, this.#controller.signal);
      if (this.#cancelReason !== undefined) this.#controller.abort(this.#cancelReason);
    }
    return this.#controller.signal;
  }

  get cancellation(): Cancellation {
    return this;
  }

  get isCancelled(): boolean {
    return this.#cancelReason !== undefined;
  }

  onCancel(listener: () => void): void {
    this.#listeners = [...this.#listeners, listener];
  }

  offCancel(listener: () => void): void {
    this.#listeners = this.#listeners.filter((one) => one !== listener);
  }

  get log(): Logger {
    this.#log ??= this.#baseLog.with({ method: this.method });
    return this.#log;
  }

  /** Why the call was cancelled, if it was. */
  get cancelReason(): StatusError | undefined {
    return this.#cancelReason;
  }

  /** Whether the handler has ended; from then on the call cannot be cancelled. */
  get isOver(): boolean {
    return this.#isOver;
  }

  cancel(reason: StatusError): void {
    if (this.#isOver || this.#cancelReason !== undefined) return;
    this.#cancelReason = reason;
    this.#controller?.abort(reason);
    for (const listener of this.#listeners) listener();
  }

  /** The handler is done; grpc-js reports the end of every call as a cancellation too. */
  finish(): void {
    this.#isOver = true;
  }
}

/** Why a call was cancelled that the caller has left, or the server at its deadline. */
export function cancelReason(deadline: Date | undefined): StatusError {
  return deadline !== undefined && Date.now() >= deadline.getTime()
    ? new StatusError("DEADLINE_EXCEEDED", "the call's deadline has passed")
    : new StatusError("CANCELLED", "the caller has cancelled the call");
}
