/** One AWS account and Region in virtual time, with everything that happens to it told to watchers. */
import {
  createEngine,
  type EmulatorControl,
  EmulatorError,
  type EngineOptions,
  manualClock,
} from "../../src/kms-emulator/index.ts";
import { VirtualTime } from "./virtual-time.ts";

/** A call that took effect, or was tried. */
export interface Call {
  readonly operation: string;
  readonly input: object;
  /** Who made it. */
  readonly caller: unknown;
}

export interface Watcher {
  /** Before the call is carried out, whether or not it will succeed. */
  onTry?(call: Call): void;
  /** The call took effect; its answer may still be lost. */
  onEffect?(call: Call, output: unknown): void;
}

/** What becomes of a call on its way: `lost` = it takes effect and the answer never comes. */
export type Fate = "throttled" | "lost" | "reset" | undefined;

const accessKeyId = "AKIASPIRESERVER00001";

export class SimulatedAccount {
  readonly control: EmulatorControl;
  readonly time: VirtualTime;
  readonly watchers = new Set<Watcher>();
  /** The access key of calls that name none. */
  callAs = accessKeyId;
  /** Decides what becomes of each call of a server. */
  fateOf: (caller: unknown, operation: string) => Fate = () => undefined;

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

  /** Carries a call out at once. */
  async call(operation: string, input: object, caller: unknown = "operator", identity = this.callAs): Promise<unknown> {
    const call = { operation, input, caller };
    for (const watcher of this.watchers) watcher.onTry?.(call);
    try {
      const output = await this.control.call(operation, input, { identity: { accessKeyId: identity } });
      for (const watcher of this.watchers) watcher.onEffect?.(call, output);
      return output;
    } catch (error) {
      if (error instanceof EmulatorError && error.code === "LOST_REPLY") {
        for (const watcher of this.watchers) watcher.onEffect?.(call, undefined);
      }
      throw error;
    }
  }
}
