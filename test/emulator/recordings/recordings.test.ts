/** Every answer that was recorded from AWS, asked of the emulator: code, text and members are the same. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createTestEngine } from "../../fixtures/test-emulator.ts";
import { askOf, compareValue, partsOf, readRecordings } from "./recording.ts";
import { replays } from "./replays.ts";

const recordings = readRecordings();

describe("answers recorded from AWS", { skip: recordings ? false : "the recordings are not on this machine" }, () => {
  for (const [name, recording] of Object.entries(recordings ?? {})) {
    it(name, async () => {
      const { base, parameters } = partsOf(name);
      const replay = replays[base];
      assert.ok(replay, `nothing replays ${base}`);
      const answers = await replay(askOf(createTestEngine().control), parameters);
      for (const [step, recorded] of Object.entries(recording["recorded-content"])) {
        compareValue(answers[step], recorded, recording["recorded-date"], step);
      }
    });
  }
});
