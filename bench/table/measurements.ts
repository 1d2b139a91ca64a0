/** Which measurement makes which rows, in the order in which they run. */
import { type Bench, keys } from "./bench.ts";
import { memory, rest, scans, starts } from "./process.ts";
import type { RowName } from "./rows.ts";
import { duringGenerate, lateAnswers, oneCaller, overload, signCost } from "./signing.ts";

export interface Measurement {
  readonly rows: readonly RowName[];
  /** Left out unless it is asked for: of the quick form, or of every form. */
  readonly isLeftOutOf?: "quick" | "all";
  run(bench: Bench): Promise<void>;
}

const [p256, p384, rsa2048, rsa4096] = keys.map(({ id }) => id) as [string, string, string, string];

export const measurements: readonly Measurement[] = [
  { rows: ["start", "configure-cpu", "first-sign", "rss-configure"], run: starts },
  {
    rows: ["sign-p256-verified", "rate-p256"],
    run: (bench) => signCost(bench, { row: "sign-p256-verified", keyId: p256, rateRow: "rate-p256" }),
  },
  {
    rows: ["sign-p256-unverified"],
    run: (bench) => signCost(bench, { row: "sign-p256-unverified", keyId: p256, isUnverified: true }),
  },
  {
    rows: ["sign-p384-verified", "rate-p384"],
    run: (bench) => signCost(bench, { row: "sign-p384-verified", keyId: p384, hash: "SHA384", rateRow: "rate-p384" }),
  },
  {
    rows: ["sign-rsa2048-verified"],
    run: (bench) => signCost(bench, { row: "sign-rsa2048-verified", keyId: rsa2048 }),
  },
  {
    rows: ["sign-rsa4096-verified"],
    run: (bench) => signCost(bench, { row: "sign-rsa4096-verified", keyId: rsa4096 }),
  },
  { rows: ["p50-one-caller"], run: oneCaller },
  { rows: ["late-p999", "late-calls"], run: lateAnswers },
  { rows: ["sign-during-generate"], run: duringGenerate },
  { rows: ["describe-cpu"], run: scans },
  { rows: ["overload-cpu", "overload-p50"], run: overload },
  { rows: ["idle-cpu"], run: rest },
  { rows: ["rss-40k"], isLeftOutOf: "quick", run: (bench) => memory(bench, "rss-40k", 40_000, "most") },
  { rows: ["rss-1m"], isLeftOutOf: "all", run: (bench) => memory(bench, "rss-1m", 1_000_000, "last") },
];
