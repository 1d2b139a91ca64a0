/** What befalls a fleet: random plans of servers that come and go for months, faults and crashes included. */
import * as fc from "fast-check";
import { dayMs, hourMs, minuteMs, secondMs } from "../scenes.ts";
import type { Settings } from "../simulated-server.ts";
import type { Trouble } from "../troubles.ts";

export interface ServerPlan {
  readonly trustDomain: string;
  readonly serverId: string;
  readonly isTagMode: boolean;
  readonly skewMs: number;
}

export type Step =
  | { readonly kind: "rotate"; readonly keyIndex: number }
  /** All servers of one identity at the same moment. */
  | { readonly kind: "rotate together"; readonly keyIndex: number }
  | { readonly kind: "sign"; readonly keyIndex: number }
  | { readonly kind: "crash"; readonly downMs: number }
  /** At the n-th call of a rotation. */
  | {
      readonly kind: "crash in rotation";
      readonly keyIndex: number;
      readonly calls: number;
      readonly when: "before" | "after";
      readonly downMs: number;
    }
  /** At the n-th call from now, whatever it is for. */
  | {
      readonly kind: "crash at call";
      readonly calls: number;
      readonly when: "before" | "after";
      readonly downMs: number;
    }
  | { readonly kind: "die" }
  | { readonly kind: "switch mode"; readonly downMs: number }
  | {
      readonly kind: "trouble";
      readonly fate: Trouble;
      readonly chance: number;
      readonly forMs: number;
      /** Undefined: every operation. */
      readonly operation: string | undefined;
      /** The key rotated meanwhile, if any. */
      readonly keyIndex: number;
    };

export interface FleetHistory {
  readonly servers: readonly ServerPlan[];
  readonly steps: readonly { readonly waitMs: number; readonly server: number; readonly step: Step }[];
  readonly latencyMs: number;
  readonly seed: number;
  readonly settings: Settings;
}

export const keyIds = ["x509-CA-A", "JWT-Signer-B"] as const;

/** The default thresholds, with a rhythm as slow as they allow, so that months take few calls. */
export const slowSettings: Settings = {
  alias_refresh_interval: "144h",
  stale_alias_scan_interval: "144h",
  stale_key_scan_interval: "168h",
};

/** Trust domains of which one's name begins the other's, and such as are written the same in aliases. */
export const lookAlikes = {
  prefixes: ["example.org", "example.organic"],
  segments: ["a.b", "a_b"],
} as const satisfies Record<string, readonly [string, string]>;

const duration = fc.constantFrom(
  10 * secondMs,
  5 * minuteMs,
  3 * hourMs,
  20 * hourMs,
  3 * dayMs,
  9 * dayMs,
  20 * dayMs,
);
const downMs = fc.constantFrom(secondMs, 10 * minuteMs, 13 * hourMs, 4 * dayMs, 18 * dayMs);
const keyIndex = fc.nat(keyIds.length - 1);
const calls = fc.integer({ min: 1, max: 9 });
const when = fc.constantFrom("before", "after");

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("rotate"), keyIndex }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("rotate together"), keyIndex }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("sign"), keyIndex }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("crash"), downMs }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("crash in rotation"), keyIndex, calls, when, downMs }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("crash at call"), calls, when, downMs }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("die") }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("switch mode"), downMs }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("trouble"),
      fate: fc.constantFrom("throttled", "lost", "reset"),
      chance: fc.constantFrom(0.2, 0.6, 1),
      forMs: fc.constantFrom(20 * secondMs, 10 * minuteMs, 5 * hourMs),
      operation: fc.constantFrom(undefined, "ScheduleKeyDeletion", "UpdateAlias", "DescribeKey", "TagResource"),
      keyIndex: fc.integer({ min: -1, max: keyIds.length - 1 }),
    }),
  },
) as fc.Arbitrary<Step>;

/** Trust domains and server ids that look alike; two servers of one id are replicas. */
const serverPlan = (trustDomains: readonly [string, string]): fc.Arbitrary<ServerPlan> =>
  fc
    .record({
      trustDomain: fc.constantFrom(...trustDomains),
      serverId: fc.constantFrom("a", "ab", "a/b"),
      isTagMode: fc.boolean(),
      skewMs: fc.constantFrom(0, 0, 0, 10 * minuteMs, -10 * minuteMs, 20 * dayMs, -20 * dayMs),
    })
    // Servers of `a.b` and `a_b` with one id would fight for their aliases, which is refused and tested elsewhere.
    .map((plan) => (plan.trustDomain === "a_b" ? { ...plan, serverId: `${plan.serverId}_` } : plan));

export const historyArbitrary = (
  trustDomains: readonly [string, string],
  settings: Settings,
  maxSteps: number,
): fc.Arbitrary<FleetHistory> =>
  fc.record({
    servers: fc.array(serverPlan(trustDomains), { minLength: 3, maxLength: 5, size: "max" }),
    steps: fc.array(fc.record({ waitMs: duration, server: fc.nat(4), step }), {
      minLength: 3,
      maxLength: maxSteps,
      size: "max",
    }),
    latencyMs: fc.constantFrom(0, 0, 60),
    seed: fc.nat(1_000_000),
    settings: fc.constant(settings),
  });
