/** A line that would be written too often is counted instead. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sleeplessClock } from "../../../test/simulation/virtual-time.ts";
import { LogLimit } from "./log-limit.ts";

describe("LogLimit", () => {
  it("writes the first line, then one a minute with the number of those left out", () => {
    let nowMs = 0;
    const written: (number | undefined)[] = [];
    const limit = new LogLimit(sleeplessClock({ now: () => new Date(nowMs) }));
    for (; nowMs < 150_000; nowMs += 1_000) limit.run(({ suppressed }) => written.push(suppressed));
    assert.deepEqual(written, [undefined, 59, 59]);
    nowMs += 3_600_000;
    limit.run(({ suppressed }) => written.push(suppressed));
    assert.equal(written.at(-1), 29, "of the last lines, however long ago");
    nowMs += 60_000;
    limit.run(({ suppressed }) => written.push(suppressed));
    assert.equal(written.at(-1), undefined);
  });
});
