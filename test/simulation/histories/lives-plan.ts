/** What befalls servers that share an account with operators: random plans, with every hand that can go wrong in it. */
import * as fc from "fast-check";
import { dayMs, hourMs, minuteMs, secondMs } from "../scenes.ts";
import type { Settings } from "../simulated-server.ts";
import { type Trouble, troubles } from "../troubles.ts";
import { keyIds, lookAlikes, type ServerPlan } from "./fleet-plan.ts";

/** Whose a key is that an operator makes. */
export const descriptions = {
  own: (trustDomain: string) => `SPIRE_SERVER/${trustDomain}`,
  "almost own": (trustDomain: string) => `SPIRE_SERVER/${trustDomain}ic`,
  "built-in's": (trustDomain: string) => `SPIRE_SERVER_KEY/${trustDomain.replaceAll(".", "_")}/x509-CA-A`,
  "kms plugin's": () => "SERVER_A/x509-CA-A",
  foreign: () => "signs the payroll",
  none: () => "",
} as const satisfies Record<string, (trustDomain: string) => string>;

/** What an operator makes. */
export const makes = {
  plain: {},
  p384: { KeySpec: "ECC_NIST_P384" },
  "not SPIRE's": { KeySpec: "ECC_SECG_P256K1" },
  "multi-Region": { MultiRegion: true },
  "multi-Region, with a replica": { MultiRegion: true },
} as const;

/** Where the alias stands that an operator gives to a key. */
export const aliasKinds = ["none", "a user's", "a server's that runs no more", "the kms plugin's"] as const;

export type OperatorStep =
  | {
      readonly kind: "make a key";
      readonly description: keyof typeof descriptions;
      readonly make: keyof typeof makes;
      readonly alias: (typeof aliasKinds)[number];
      readonly isTagged: boolean;
    }
  | { readonly kind: "move our alias"; readonly keyIndex: number; readonly key: number }
  | { readonly kind: "move it back" }
  | { readonly kind: "put an alias on" | "take an alias off"; readonly key: number }
  | { readonly kind: "tag"; readonly key: number; readonly tag: string; readonly value: string }
  | { readonly kind: "untag"; readonly key: number }
  | { readonly kind: "use" | "disable" | "enable" | "cancel the deletion" | "replicate"; readonly key: number }
  | { readonly kind: "describe anew"; readonly key: number; readonly description: keyof typeof descriptions };

export type LifeStep =
  | { readonly kind: "rotate" | "sign"; readonly keyIndex: number }
  | {
      readonly kind: "kill at call";
      /** 0: at once. */
      readonly calls: number;
      readonly when: "before" | "after";
      readonly downMs: number;
      /** The key rotated meanwhile, if any. */
      readonly keyIndex: number;
    }
  | { readonly kind: "die" }
  | { readonly kind: "switch mode"; readonly downMs: number }
  | { readonly kind: "clock"; readonly whose: "process" | "KMS" | "all" | "date"; readonly ms: number }
  | { readonly kind: "clocks right" }
  | {
      readonly kind: "trouble";
      readonly fate: Trouble;
      readonly chance: number;
      readonly forMs: number;
      /** Undefined: every operation. */
      readonly operation: string | undefined;
    }
  | OperatorStep;

export interface Life {
  readonly servers: readonly ServerPlan[];
  readonly steps: readonly { readonly waitMs: number; readonly server: number; readonly step: LifeStep }[];
  readonly latencyMs: number;
  readonly seed: number;
}

/** The shortest thresholds that there may be, so that a life takes few calls. */
export const livesSettings: Settings = {
  alias_refresh_interval: "12h",
  stale_alias_threshold: "24h",
  stale_alias_scan_interval: "12h",
  stale_key_threshold: "12h",
  stale_key_scan_interval: "12h",
};

const keyIndex = fc.nat(keyIds.length - 1);
/** Any key of the account. */
const key = fc.nat(1_000);
const description = fc.constantFrom(
  "own" as const,
  "own" as const,
  ...(Object.keys(descriptions) as (keyof typeof descriptions)[]),
);
const downMs = fc.constantFrom(secondMs, 10 * minuteMs, 13 * hourMs, 30 * hourMs);
const jumpMs = fc.constantFrom(10 * minuteMs, 16 * minuteMs, 3 * hourMs, 30 * hourMs, 20 * dayMs);
const fates = (Object.keys(troubles) as Trouble[]).filter((fate) => !/signature|public key/.test(fate));

const operatorStep: fc.Arbitrary<OperatorStep> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("make a key"),
      description,
      make: fc.constantFrom("plain", "plain", "plain", ...(Object.keys(makes) as (keyof typeof makes)[])),
      alias: fc.constantFrom(...aliasKinds),
      isTagged: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("move our alias"), keyIndex, key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("move it back") }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("put an alias on"), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("take an alias off"), key }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("tag"),
      key,
      tag: fc.constantFrom("spire-last-update", "spire-active", "spire-server-id", "spire-server-td", "Team"),
      value: fc.constantFrom("", "false", "yesterday", "0", "a"),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom("use", "use", "use", "untag", "disable", "enable", "cancel the deletion", "replicate"),
      key,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("describe anew"), key, description }) },
) as fc.Arbitrary<OperatorStep>;

const step: fc.Arbitrary<LifeStep> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("rotate"), keyIndex }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("sign"), keyIndex }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("kill at call"),
      calls: fc.integer({ min: 0, max: 9 }),
      when: fc.constantFrom("before", "after"),
      downMs,
      keyIndex: fc.integer({ min: -1, max: keyIds.length - 1 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("die") }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("switch mode"), downMs }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("clock"),
      whose: fc.constantFrom("process", "KMS", "all", "date"),
      ms: fc.tuple(jumpMs, fc.constantFrom(1, -1)).map(([ms, sign]) => ms * sign),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("clocks right") }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("trouble"),
      fate: fc.constantFrom(...fates),
      chance: fc.constantFrom(0.2, 0.6, 1),
      forMs: fc.constantFrom(20 * secondMs, 10 * minuteMs, 5 * hourMs),
      operation: fc.constantFrom(undefined, "ScheduleKeyDeletion", "UpdateAlias", "DescribeKey", "ListAliases"),
    }),
  },
  { weight: 10, arbitrary: operatorStep },
) as fc.Arbitrary<LifeStep>;

/** Servers whose names look alike, by whole segments and by prefixes; two with one name share an identity. */
const serverPlan = ([first, second]: readonly [string, string]): fc.Arbitrary<ServerPlan> =>
  fc
    .record({
      trustDomain: fc.constantFrom(first, first, second),
      serverId: fc.constantFrom("a", "ab"),
      isTagMode: fc.boolean(),
      skewMs: fc.constantFrom(0, 0, 0, 10 * minuteMs, -10 * minuteMs, 20 * dayMs),
    })
    // Servers of `a.b` and `a_b` with one id would fight for their aliases, which is refused and tested elsewhere.
    .map((plan) => (plan.trustDomain === "a_b" ? { ...plan, serverId: `${plan.serverId}_` } : plan));

export const lifeArbitrary: fc.Arbitrary<Life> = fc.constantFrom(...Object.values(lookAlikes)).chain((trustDomains) =>
  fc.record({
    servers: fc.array(serverPlan(trustDomains), { minLength: 1, maxLength: 3, size: "max" }),
    steps: fc.array(
      fc.record({
        waitMs: fc.constantFrom(secondMs, minuteMs, 20 * minuteMs, 2 * hourMs, 13 * hourMs, 26 * hourMs),
        server: fc.nat(2),
        step,
      }),
      { minLength: 3, maxLength: 12, size: "max" },
    ),
    latencyMs: fc.constantFrom(0, 0, 60),
    seed: fc.nat(1_000_000),
  }),
);
