/** Durations as Go writes them, read and written. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatDuration, parseDuration } from "./duration.ts";

describe("duration", () => {
  for (const [text, ms] of [
    ["336h", 1_209_600_000],
    ["90m", 5_400_000],
    ["1h30m", 5_400_000],
    ["1.5h", 5_400_000],
    ["0", 0],
    ["0s", 0],
    ["250ms", 250],
    [".5s", 500],
    ["1µs", 0.001],
  ] as const) {
    it(`reads ${text}`, () => assert.equal(parseDuration(text), ms));
  }
  for (const text of ["", "6", "h", "6 h", "-1h", "1d", "1h ", "1h30", "1e3s", "six hours"]) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.equal(parseDuration(text), undefined));
  }
  it("writes what it reads", () => {
    for (const text of ["336h", "1h30m", "10m", "5s", "0s", "250ms"])
      assert.equal(formatDuration(parseDuration(text) ?? -1), text);
  });
});
