/** Calls spread in time. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { VirtualTime } from "../../../test/simulation/virtual-time.ts";
import { Pacer } from "./pacer.ts";

describe("Pacer", () => {
  it("spreads calls that come at once, and lets a late one through without waiting", async () => {
    const time = new VirtualTime(0);
    const pacer = new Pacer(
      time.clockFor(undefined, () => 0),
      4,
    );
    const turns: number[] = [];
    for (let count = 0; count < 5; count++) void pacer.turn().then(() => turns.push(time.now));
    await time.run(10_000);
    assert.deepEqual(turns, [0, 250, 500, 750, 1_000]);
    await pacer.turn();
    assert.equal(time.now, 10_000);
  });
});
