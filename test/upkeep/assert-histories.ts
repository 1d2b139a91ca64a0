/** Properties over histories, as many as asked for. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import * as fc from "fast-check";
import { liveFleet } from "../simulation/histories/fleet.ts";
import { historyArbitrary } from "../simulation/histories/fleet-plan.ts";
import type { Seams, Settings } from "../simulation/simulated-server.ts";

/** `UPKEEP_FACTOR=20` for a run twenty times as long, without a limit of time; `UPKEEP_SEED` for other histories. */
const factor = process.env.UPKEEP_FACTOR;
const seed = Number(process.env.UPKEEP_SEED ?? 20260101);
/** A busy machine lives through fewer, and says so. */
const timeLimitMs = 20_000;

export interface HistoriesOptions {
  readonly trustDomains: readonly [string, string];
  readonly settings: Settings;
  readonly maxSteps: number;
  /** Histories in a normal run. */
  readonly count: number;
}

/** Lives through histories and wants nothing to be wrong in any of them. */
export async function assertHistories(context: TestContext, options: HistoriesOptions): Promise<void> {
  const { trustDomains, settings, maxSteps, count } = options;
  const numRuns = Math.ceil(count * Number(factor ?? 1));
  let calls = 0;
  let days = 0;
  let histories = 0;
  const property = fc.asyncProperty(historyArbitrary(trustDomains, settings, maxSteps), async (history) => {
    const outcome = await liveFleet(history);
    histories++;
    calls += outcome.calls;
    days += outcome.days;
    assert.deepEqual(outcome.violations.slice(0, 5), []);
  });
  const limit = factor === undefined ? { interruptAfterTimeLimit: timeLimitMs, markInterruptAsFailure: false } : {};
  await fc.assert(property, { numRuns, seed, ...limit });
  context.diagnostic(`${histories} histories, ${Math.round(days / 30)} months, ${calls} calls`);
  assert.ok(histories > 0);
}

/** The first thing of this kind that goes wrong with faulty parts, within a few histories. */
export async function firstViolation(
  options: HistoriesOptions,
  seams: Seams,
  kind: RegExp,
): Promise<string | undefined> {
  const { trustDomains, settings, maxSteps, count } = options;
  for (const history of fc.sample(historyArbitrary(trustDomains, settings, maxSteps), { numRuns: count, seed: 1 })) {
    const violation = (await liveFleet(history, seams)).violations.find((text) => kind.test(text));
    if (violation !== undefined) return violation;
  }
  return undefined;
}
