/** The verdicts of the benchmark, and the ways they are written. What they are on is not measured here. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { measurements } from "../../bench/table/measurements.ts";
import { performancePlot } from "../../bench/table/performance-plot.ts";
import { judge, lineOf, markdownOf, spreadOf } from "../../bench/table/report.ts";
import { rowSpecs } from "../../bench/table/rows.ts";

describe("a row's verdict", () => {
  it("is on the median of the rounds' own ratios, not on the ratio of medians", () => {
    // A load that doubles the second round doubles both: each round's ratio is 0.9, and the medians' would be 1.8.
    const row = judge("sign-p256-verified", { ours: [90, 180, 180], go: [100, 100, 200] });
    assert.deepEqual(row.measured, { min: 0.9, median: 0.9, max: 1.8 });
    assert.equal(row.verdict, "met");
    assert.equal(row.isAimReached, false);
  });

  it("is short above the bound, and below it where more is better", () => {
    assert.equal(judge("sign-p384-verified", { ours: [131], go: [100] }).verdict, "short");
    assert.equal(judge("sign-p384-verified", { ours: [130], go: [100] }).verdict, "met");
    assert.equal(judge("rate-p256", { ours: [99], go: [100] }).verdict, "short");
    assert.equal(judge("rate-p256", { ours: [120], go: [100] }).isAimReached, true);
  });

  it("is on ours alone where the row says so", () => {
    assert.equal(judge("late-p999", { ours: [340], go: [10] }).verdict, "met");
    assert.equal(judge("late-p999", { ours: [351], go: [1_054] }).verdict, "short");
  });

  it("is never met without a figure", () => {
    assert.equal(judge("idle-cpu", {}).verdict, "short");
    assert.equal(judge("rate-p256", { ours: [100] }).verdict, "short");
    const skipped = judge("idle-cpu", "go is not installed");
    assert.equal(skipped.verdict, "skipped");
    assert.match(lineOf(skipped), /^skipped .*idle-cpu.*: go is not installed$/);
  });

  it("compares two builds round by round", () => {
    const row = judge("idle-cpu", { ours: [5, 50], against: [10, 100] });
    assert.deepEqual(row.change, { min: 0.5, median: 0.5, max: 0.5 });
    assert.match(markdownOf([row]), /\| 0\.5 \|$/m);
  });
});

describe("the table", () => {
  it("measures every row once", () => {
    const measured = measurements.flatMap(({ rows }) => rows);
    assert.deepEqual(measured.toSorted(), rowSpecs.map(({ name }) => name).toSorted());
  });

  it("takes least, median and most", () => {
    assert.deepEqual(spreadOf([3, 1, 2]), { min: 1, median: 2, max: 3 });
    assert.deepEqual(spreadOf([4, 1, 2, 3]), { min: 1, median: 2.5, max: 4 });
  });

  it("has a line for every row, and the plot a label", () => {
    const rows = rowSpecs.map(({ name }) => judge(name, { ours: [1], go: [2] }));
    assert.equal(markdownOf(rows).split("\n").length, rows.length + 2);
    const plot = performancePlot({ environment: { revision: "r", node: "v20" }, rows });
    for (const { what } of rowSpecs) assert.ok(plot.includes(what), what);
    assert.ok(!/NaN|undefined|Infinity/.test(plot));
  });

  it("is explained, row by row, in docs/performance.md", () => {
    const page = readFileSync(new URL("../../docs/performance.md", import.meta.url), "utf8");
    const patterns = [...page.matchAll(/`([a-z0-9*-]+)`/g)].map(([, name = ""]) => name);
    const isNamed = (name: string) =>
      patterns.some((pattern) => pattern === name || (pattern.endsWith("-*") && name.startsWith(pattern.slice(0, -1))));
    assert.deepEqual(
      rowSpecs.map(({ name }) => name).filter((name) => !isNamed(name)),
      [],
    );
  });
});
