/** One AWS account and Region in virtual time, with everything that happens to it told to watchers. */
import {
  createEngine,
  type EmulatorControl,
  EmulatorError,
  type EngineOptions,
  manualClock,
} from "../../src/kms-emulator/index.ts";
import type { Trouble } from "./troubles.ts";
import { VirtualTime } from "./virtual-time.ts";

/** A call that took effect, or was tried. */
export interface Call {
  readonly operation: string;
  readonly input: object;
  /** Who made it. */
  readonly caller: unknown;
  /** Where; undefined: in the account's own Region. */
  readonly region?: string | undefined;
}

export interface Watcher {
  /** Before the call is carried out, whether or not it will succeed. */
  onTry?(call: Call): void;
  /** The call took effect; its answer may still be lost. */
  onEffect?(call: Call, output: unknown): void;
}

const accessKeyId = "AKIASPIRESERVER00001";
const pastMs = 5_000;

/** The caller of everything that no server does. */
export const operator = "operator";

export class SimulatedAccount {
  readonly control: EmulatorControl;
  readonly time: VirtualTime;
  readonly watchers = new Set<Watcher>();
  /** ARNs of keys that have nothing to do with any server. */
  readonly strangers: string[] = [];
  /** The access key of calls that name none. */
  callAs = accessKeyId;
  /** How far the `Date` of KMS's answers is ahead of KMS's own time. */
  wrongDateMs = 0;
  /** Decides what each call of a server meets on its way. */
  fateOf: (caller: unknown, operation: string, region?: string) => Trouble | undefined = () => undefined;

  constructor(options: EngineOptions = {}) {
    const arn = "arn:aws:sts::111122223333:assumed-role/spire-server/i-0123456789";
    this.control = createEngine({
      clock: manualClock(Date.UTC(2026, 0, 1)),
      journalLimit: 0,
      awsManagedAliases: false,
      identities: [{ accessKeyId, arn }],
      ...options,
    }).control;
    this.time = new VirtualTime(this.control);
  }

  /** What KMS's answers say the time is. */
  get dateOfAnswers(): Date {
    return new Date(this.control.now().getTime() + this.wrongDateMs);
  }

  /** KMS's clock jumps forward, and nothing else does. */
  jump(ms: number): void {
    this.control.advance(ms);
  }

  /** Carries a call out at once. */
  async call(
    operation: string,
    input: object,
    caller: unknown = operator,
    identity = this.callAs,
    region?: string,
  ): Promise<unknown> {
    const call = { operation, input, caller, region };
    for (const watcher of this.watchers) watcher.onTry?.(call);
    const options = { identity: { accessKeyId: identity }, ...(region === undefined ? {} : { region }) };
    try {
      const output = await this.control.callByName(operation, input, options);
      for (const watcher of this.watchers) watcher.onEffect?.(call, output);
      return output;
    } catch (error) {
      if (error instanceof EmulatorError && error.code === "LOST_REPLY") {
        for (const watcher of this.watchers) watcher.onEffect?.(call, undefined);
      }
      throw error;
    }
  }

  /** A call of the operator's in another Region. */
  callIn(region: string, operation: string, input: object): Promise<unknown> {
    return this.call(operation, input, operator, this.callAs, region);
  }

  /** From now on the state of some seconds ago can be asked for. */
  rememberPast(): void {
    this.control.addFault({ kind: "consistency-lag", ms: pastMs, match: () => false });
  }

  /** A read that sees the state of a while ago; see {@link rememberPast}. */
  async callInThePast(operation: string, input: object, lagMs: number, caller: unknown): Promise<unknown> {
    const ms = Math.min(lagMs, pastMs);
    const lag = this.control.addFault({ kind: "consistency-lag", ms, operation, match: (given) => given === input });
    try {
      return await this.call(operation, input, caller);
    } finally {
      lag.remove();
    }
  }
}
