/** Faults: calls that are delayed, refused, cut off or answered wrongly, as a tester asks for. */
import { EmulatorError } from "../errors.ts";
import type { Caller } from "../identity.ts";
import type { Random } from "../random.ts";
import { TokenBucket } from "../token-bucket.ts";

/** Which calls a fault hits. All conditions must hold; none = every call. */
export interface FaultRule {
  /** Operation name, several, or a pattern. */
  readonly operation?: string | RegExp | readonly string[];
  /** At most this many hits, then the fault is spent. */
  readonly times?: number;
  /** Chance of a hit for each matching call, 0..1, from the emulator's seed. */
  readonly probability?: number;
  /** `input` is as received, so unchecked. */
  readonly match?: (input: unknown, caller: Caller) => boolean;
}

export type FaultEffect =
  /** Waits this long (real time) before the call takes effect. */
  | { readonly kind: "delay"; readonly ms: number }
  /** Answers with this exception instead of carrying the call out. `status` defaults to AWS's for that name. */
  | { readonly kind: "error"; readonly name: string; readonly message?: string; readonly status?: number }
  /** Lets `perSecond` calls a second through (emulator's clock), answers the others with ThrottlingException. */
  | { readonly kind: "throttle"; readonly perSecond: number }
  /** The call takes effect, then the connection is cut without a reply. */
  | { readonly kind: "lost-reply" }
  /** The connection is cut before the call takes effect. */
  | { readonly kind: "reset" }
  /** An HTML page as a load balancer would answer; `status` defaults to 500. */
  | { readonly kind: "http-500"; readonly status?: number }
  /** Reads of the hit call see the state of `ms` ago (emulator's clock); its writes work on the present. */
  | { readonly kind: "consistency-lag"; readonly ms: number }
  /** One bit of Sign's signature is wrong. */
  | { readonly kind: "corrupt-signature" };

export type Fault = FaultRule & FaultEffect;

export interface FaultHandle {
  remove(): void;
  /** Calls that the fault has changed (for `throttle`: calls refused). */
  readonly hits: number;
}

interface ActiveFault {
  readonly fault: Fault;
  readonly bucket: TokenBucket | undefined;
  hits: number;
}

/** True if `operation` is one that the rule names. */
export function namesOperation(rule: Pick<FaultRule, "operation">, operation: string): boolean {
  const wanted = rule.operation;
  if (wanted === undefined) return true;
  if (typeof wanted === "string") return wanted === operation;
  if (wanted instanceof RegExp) return new RegExp(wanted.source, wanted.flags.replace(/[gy]/g, "")).test(operation);
  return wanted.includes(operation);
}

/** Throws EmulatorError INVALID_OPTION for a fault that could not work. */
function requireSound(fault: Fault): void {
  const isNumber = (value: unknown, min: number, max: number) =>
    typeof value === "number" && value >= min && value <= max;
  const require = (isSound: boolean, message: string) => {
    if (!isSound) throw new EmulatorError("INVALID_OPTION", `fault ${String(fault.kind)}: ${message}`);
  };
  require(faultKinds.includes(fault.kind), "there is no such kind");
  require(isNumber(fault.times ?? 0, 0, Number.POSITIVE_INFINITY), "times must be a number >= 0");
  require(isNumber(fault.probability ?? 0, 0, 1), "probability must be between 0 and 1");
  if ("ms" in fault) require(isNumber(fault.ms, 0, maxTimerMs), `ms must be between 0 and ${maxTimerMs}`);
  if ("perSecond" in fault) require(isNumber(fault.perSecond, 0, Number.MAX_VALUE), "perSecond must be a number >= 0");
  if ("status" in fault) require(isNumber(fault.status ?? 500, 200, 599), "status must be between 200 and 599");
  if (fault.kind === "error") require(/^[\w.#:-]+$/.test(fault.name), "name must be the name of an exception");
}

const none: readonly FaultEffect[] = [];

/** Longer timers than this fire at once in Node. */
const maxTimerMs = 2 ** 31 - 1;

const faultKinds: readonly Fault["kind"][] = [
  "delay",
  "error",
  "throttle",
  "lost-reply",
  "reset",
  "http-500",
  "consistency-lag",
  "corrupt-signature",
];

/** The faults in force. */
export class Faults {
  readonly #active = new Set<ActiveFault>();
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Throws EmulatorError INVALID_OPTION. */
  add(fault: Fault): FaultHandle {
    requireSound(fault);
    const bucket = fault.kind === "throttle" ? new TokenBucket(fault.perSecond) : undefined;
    const active: ActiveFault = { fault, bucket, hits: 0 };
    this.#active.add(active);
    return {
      remove: () => {
        this.#active.delete(active);
      },
      get hits() {
        return active.hits;
      },
    };
  }

  clear(): void {
    this.#active.clear();
  }

  /** The effects on this call, in the order in which the faults were added. */
  hit(operation: string, input: unknown, caller: Caller, nowMs: number): readonly FaultEffect[] {
    if (this.#active.size === 0) return none;
    return [...this.#active]
      .filter((active) => this.#isHit(active, operation, input, caller, nowMs))
      .map((a) => a.fault);
  }

  #isHit(active: ActiveFault, operation: string, input: unknown, caller: Caller, nowMs: number): boolean {
    const { fault } = active;
    if (!namesOperation(fault, operation)) return false;
    if (fault.times !== undefined && active.hits >= fault.times) return false;
    if (fault.match && !fault.match(input, caller)) return false;
    if (fault.probability !== undefined && this.#random.toss() >= fault.probability) return false;
    if (active.bucket?.take(nowMs)) return false;
    active.hits += 1;
    return true;
  }
}
