/** The control plane: time, faults, pauses, journal, calls, and the state as a whole. */
import type { Fault, FaultHandle } from "../drills/faults.ts";
import type { CallRecord } from "../drills/journal.ts";
import type { PauseHandle, PauseRule } from "../drills/pauses.ts";
import type { Engine } from "../engine/engine.ts";
import { EmulatorError } from "../errors.ts";
import { isAccountId, isRegionName } from "../identifiers.ts";
import { type Identity, identityFromArn } from "../identity.ts";
import { operations } from "../operations/index.ts";
import { dumpState, loadState } from "../persistence/state-dump.ts";

export interface CallOptions {
  /** Default: the emulator's. */
  readonly region?: string;
  /** Calls as the default role of this account. */
  readonly account?: string;
  /** Calls as the owner of this access key, or as this ARN. */
  readonly identity?: { readonly accessKeyId: string } | { readonly arn: string };
}

/** What tests do to the emulator beside calling it. The same operations are served over HTTP if asked for. */
export interface EmulatorControl {
  /** The emulator's time. */
  now(): Date;
  /** Moves time forward; what falls due (deletions, end of Creating and Updating) happens at once. */
  advance(ms: number): void;
  addFault(fault: Fault): FaultHandle;
  clearFaults(): void;
  pause(rule: PauseRule): PauseHandle;
  /** The latest calls, oldest first. */
  journal(): readonly CallRecord[];
  clearJournal(): void;
  /**
   * Calls an operation without HTTP: same checks, faults and journal. Resolves to the output, with `Date`s and
   * `Uint8Array`s; rejects with AwsException, or EmulatorError if the reply was lost.
   */
  call(operation: string, input: unknown, options?: CallOptions): Promise<unknown>;
  /** All state as JSON-compatible data. */
  dump(): unknown;
  /** Replaces all state by a dump. Throws EmulatorError and changes nothing if it is none. */
  load(state: unknown): void;
}

function callerFor(engine: Engine, options: CallOptions, region: string): Identity {
  const { identity } = options;
  if (identity && "arn" in identity) return identityFromArn(identity.arn);
  if (identity) {
    const known = engine.directory.credential(identity.accessKeyId);
    if (known) return known.identity;
    throw new EmulatorError("INVALID_OPTION", `no identity has the access key id ${identity.accessKeyId}`);
  }
  if (options.account !== undefined && !isAccountId(options.account)) {
    throw new EmulatorError("INVALID_OPTION", `account ${options.account} is not 12 digits`);
  }
  return engine.directory.defaultIdentity(region, undefined, options.account);
}

async function call(engine: Engine, operation: string, input: unknown, options: CallOptions): Promise<unknown> {
  if (!operations.has(operation)) throw new EmulatorError("UNKNOWN_OPERATION", `no operation ${operation}`);
  const region = options.region ?? engine.defaultRegion;
  if (!isRegionName(region)) throw new EmulatorError("INVALID_OPTION", `${region} is not the name of a Region`);
  const caller = callerFor(engine, options, region);
  const reply = await engine.execute({ operation, input, region, caller });
  switch (reply.kind) {
    case "output":
      return reply.output;
    case "exception":
      throw reply.exception;
    case "page":
      throw new EmulatorError("LOST_REPLY", `${operation}: HTTP ${reply.status} without an AWS answer`);
    case "cut":
      throw reply.outcome === "lost"
        ? new EmulatorError("LOST_REPLY", `${operation}: the reply was lost`)
        : new EmulatorError("CONNECTION_RESET", `${operation}: the connection was reset`);
  }
}

export function createControl(engine: Engine): EmulatorControl {
  return {
    now: () => new Date(engine.clock.now()),
    advance(ms) {
      engine.clock.advance(ms);
      engine.store.clockMoved(engine.clock.now());
    },
    addFault(fault) {
      const handle = engine.faults.add(fault);
      if (fault.kind === "consistency-lag") engine.store.history.keep(fault.ms);
      return handle;
    },
    clearFaults: () => engine.faults.clear(),
    pause: (rule) => engine.pauses.add(rule),
    journal: () => engine.journal.records(),
    clearJournal: () => engine.journal.clear(),
    call: (operation, input, options = {}) => call(engine, operation, input, options),
    dump: () => dumpState(engine.store),
    load: (state) => loadState(engine.store, state, engine.clock.now()),
  };
}
