/**
 * Random lives: servers that are killed at any call, faults, look-alikes, operators who move, tag, disable and rescue what
 * is not theirs, clocks that jump. What must hold is judged from KMS's side.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { reportText } from "../chaos/report.ts";
import { liveThrough } from "../simulation/histories/lives.ts";
import { lifeArbitrary } from "../simulation/histories/lives-plan.ts";

/** `LIVES=10000` for a long run, without a limit of time; `LIVES_SEED` for other lives. */
const wanted = process.env.LIVES;
const seed = Number(process.env.LIVES_SEED ?? 20260101);
/** A busy machine lives through fewer, and says so. */
const timeLimitMs = 20_000;
const few = 60;

describe("random lives in an account in which everybody has a hand", () => {
  it("no key goes that is in use, another's or not certainly ours, and every orphan does", async (context) => {
    let lives = 0;
    let calls = 0;
    let deletions = 0;
    const property = fc.asyncProperty(lifeArbitrary, async (life) => {
      const outcome = await liveThrough(life);
      lives++;
      calls += outcome.calls;
      deletions += outcome.deletions;
      assert.deepEqual(outcome.violations.slice(0, 5), []);
    });
    const limit = wanted === undefined ? { interruptAfterTimeLimit: timeLimitMs, markInterruptAsFailure: false } : {};
    await fc.assert(property, { numRuns: Number(wanted ?? few), seed, ...limit });
    context.diagnostic(`${lives} lives, ${calls} calls, ${deletions} deletions`);
    reportText("lives", `${lives} lives, ${calls} calls, ${deletions} deletions judged: no violation.`);
    assert.ok(deletions > lives, "keys are scheduled for deletion");
  });
});
