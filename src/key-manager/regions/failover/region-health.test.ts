/** The state machine of one Region, step by step and over random histories. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { RegionHealth } from "./region-health.ts";

/** Fails three times. */
function opened(now: number): RegionHealth {
  const health = new RegionHealth();
  assert.deepEqual([health.failed(now), health.failed(now), health.failed(now)], [false, false, true]);
  return health;
}

describe("RegionHealth", () => {
  it("opens after three failures in a row, and not after two with a success between them", () => {
    const health = new RegionHealth();
    for (let n = 0; n < 10; n++) {
      assert.equal(health.failed(n), false);
      assert.equal(health.failed(n), false);
      health.succeeded();
    }
    assert.equal(health.isOpen, false);
    assert.equal(opened(0).isOpen, true);
  });

  it("probes after five seconds, one at a time, and less and less often while they fail", () => {
    const health = opened(0);
    assert.equal(health.takeProbe(4_999), false);
    assert.equal(health.takeProbe(5_000), true);
    assert.equal(health.takeProbe(5_000), false);
    let now = 5_000;
    for (const nextMs of [10_000, 20_000, 40_000, 60_000, 60_000]) {
      assert.equal(health.probed(false, now), false);
      assert.equal(health.takeProbe(now + nextMs - 1), false);
      assert.equal(health.takeProbe(now + nextMs), true);
      now += nextMs;
    }
  });

  it("closes after two probes in a row that succeed", () => {
    const health = opened(0);
    health.takeProbe(5_000);
    assert.equal(health.probed(true, 5_000), false);
    assert.equal(health.takeProbe(5_999), false);
    health.takeProbe(6_000);
    assert.equal(health.probed(false, 6_000), false);
    health.takeProbe(20_000);
    assert.equal(health.probed(true, 20_000), false);
    health.takeProbe(21_000);
    assert.equal(health.probed(true, 21_000), true);
    assert.equal(health.isOpen, false);
    assert.equal(health.failed(22_000), false, "what was counted before is forgotten");
  });

  it("keeps its promises in any history", () => {
    type Step = "success" | "failure" | "good probe" | "bad probe";
    const steps = fc.array(
      fc.record({
        kind: fc.constantFrom<Step>("success", "failure", "good probe", "bad probe"),
        afterMs: fc.integer({ min: 0, max: 30_000 }),
      }),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(steps, (history) => {
        const health = new RegionHealth();
        let now = 0;
        let inARow = 0;
        let goodProbes = 0;
        let lastProbe = Number.NEGATIVE_INFINITY;
        for (const { kind, afterMs } of history) {
          now += afterMs;
          const wasOpen = health.isOpen;
          if (kind === "success") {
            health.succeeded();
            assert.equal(health.isOpen, wasOpen, "only probes bring a Region home");
            if (!wasOpen) inARow = 0;
          } else if (kind === "failure") {
            inARow = wasOpen ? inARow : inARow + 1;
            assert.equal(health.failed(now), !wasOpen && inARow === 3);
            if (!wasOpen && health.isOpen) goodProbes = 0;
          } else if (health.takeProbe(now)) {
            assert.ok(wasOpen, "a Region that answers is not probed");
            assert.ok(now - lastProbe >= 1_000, "probes keep their distance");
            lastProbe = now;
            goodProbes = kind === "good probe" ? goodProbes + 1 : 0;
            assert.equal(health.probed(kind === "good probe", now), goodProbes === 2);
            if (!health.isOpen) inARow = 0;
          } else if (wasOpen) {
            assert.ok(now - Math.max(lastProbe, health.openedAt ?? 0) < 60_000, "no Region is given up");
          }
        }
      }),
      { numRuns: 500, seed: 17 },
    );
  });
});
