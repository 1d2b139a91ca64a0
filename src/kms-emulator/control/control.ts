/** The control plane: time, faults, pauses, journal, calls, and the state as a whole. */
import type { Fault, FaultHandle } from "../drills/faults.ts";
import type { CallRecord } from "../drills/journal.ts";
import type { PauseHandle, PauseRule } from "../drills/pauses.ts";
import type { Engine } from "../engine/engine.ts";
import { didYouMean, EmulatorError } from "../errors.ts";
import { isAccountId, isRegionName } from "../identifiers.ts";
import { type Identity, identityFromArn } from "../identity.ts";
import { operations } from "../operations/index.ts";
import { dumpState, loadState } from "../persistence/state-dump.ts";
import type { CallInput, CallOutput, OperationName } from "./calls.ts";

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
  call<N extends OperationName>(operation: N, input: CallInput<N>, options?: CallOptions): Promise<CallOutput<N>>;
  /** The same where the types would be in the way: names from elsewhere, inputs that AWS would refuse. */
  callByName(operation: string, input: unknown, options?: CallOptions): Promise<unknown>;
  /** Back to the beginning: the seeds and nothing else, no faults, no pauses, an empty journal. The clock goes on. */
  reset(): void;
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

function requireOperation(name: string): void {
  if (operations.has(name)) return;
  throw new EmulatorError("UNKNOWN_OPERATION", `there is no operation ${name}${didYouMean(name, operations.keys())}`);
}

/** A fault or a pause for an operation that is not there would never be hit, and no test would notice. */
function requireOperations(named: Fault["operation"]): void {
  if (named === undefined || named instanceof RegExp) return;
  for (const name of typeof named === "string" ? [named] : named) requireOperation(name);
}

function requireNames(options: object, known: readonly string[]): void {
  const stray = Object.keys(options).find((name) => !known.includes(name));
  if (stray === undefined) return;
  throw new EmulatorError("INVALID_OPTION", `there is no option ${stray} of a call${didYouMean(stray, known)}`);
}

async function call(engine: Engine, operation: string, input: unknown, options: CallOptions): Promise<unknown> {
  requireOperation(operation);
  requireNames(options, ["region", "account", "identity"]);
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
      requireOperations(fault.operation);
      const handle = engine.faults.add(fault);
      if (fault.kind === "consistency-lag") engine.store.history.keep(fault.ms);
      return handle;
    },
    clearFaults: () => engine.faults.clear(),
    pause(rule) {
      requireOperations(rule.operation);
      return engine.pauses.add(rule);
    },
    journal: () => engine.journal.records(),
    clearJournal: () => engine.journal.clear(),
    // The types say what each operation answers; the engine's own are not so exact.
    call: (operation, input, options = {}) => call(engine, operation, input, options) as Promise<never>,
    callByName: (operation, input, options = {}) => call(engine, operation, input, options),
    reset: () => engine.reset(),
    dump: () => dumpState(engine.store),
    load: (state) => loadState(engine.store, state, engine.clock.now()),
  };
}
