/** The random lives would show it if a rule that guards keys were missing. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { liveThrough } from "../simulation/histories/lives.ts";
import { lifeArbitrary } from "../simulation/histories/lives-plan.ts";
import { type KnownFault, knownFaults } from "./known-faults.ts";

const lives = fc.sample(lifeArbitrary, { numRuns: 150, seed: 1 });

/** The first thing of this kind that goes wrong, and in which life. */
async function firstViolation({ seams, settings, shows, near = 0 }: KnownFault): Promise<string | undefined> {
  const all = [...lives.entries()];
  for (const [index, life] of [...all.slice(near), ...all.slice(0, near)]) {
    const { violations } = await liveThrough(life, seams, settings);
    const violation = violations.find((text) => shows.test(text));
    if (violation !== undefined) return `life ${index}: ${violation}`;
  }
  return undefined;
}

describe("the lives notice", () => {
  for (const known of knownFaults) {
    it(known.fault, async (context) => {
      const violation = await firstViolation(known);
      assert.ok(violation !== undefined, "nothing was noticed");
      context.diagnostic(violation);
    });
  }
});
