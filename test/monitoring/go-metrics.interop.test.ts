/** What stands for SPIRE's telemetry in these tests, beside go-metrics and Prometheus's own client, which SPIRE has. */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { GoMetricsSink, type MetricCall, parseExposition, type Sample } from "./go-metrics-sink.ts";

const run = promisify(execFile);
const source = join(import.meta.dirname, "go-metrics");

const calls: readonly MetricCall[] = [
  { kind: "counter", key: ["aws_kms", "wrong_signatures"], value: 0, labels: {} },
  { kind: "counter", key: ["aws_kms", "aws_call"], value: 1, labels: { operation: "Sign", result: "ok" } },
  { kind: "counter", key: ["aws_kms", "aws_call"], value: 2, labels: { operation: "Sign", result: "ok" } },
  { kind: "counter", key: ["aws_kms", "aws_call"], value: 1, labels: { operation: "Sign", result: "Throttled" } },
  ...[12, 7, 30, 18, 25].map(
    (value): MetricCall => ({
      kind: "sample",
      key: ["aws_kms", "aws_call", "elapsed_time"],
      value,
      labels: { operation: "Sign", result: "ok" },
    }),
  ),
  { kind: "gauge", key: ["aws_kms", "live_keys"], value: 4, labels: {} },
  { kind: "gauge", key: ["aws_kms", "live_keys"], value: 3, labels: {} },
  { kind: "gauge", key: ["aws_kms", "task_age_seconds"], value: 12.5, labels: { task: "refresh_aliases" } },
];

const sorted = (samples: readonly Sample[]): string[] =>
  samples
    .map(({ name, labels, value, isCounter }) =>
      JSON.stringify([name, Object.entries(labels).sort(), value, isCounter]),
    )
    .sort();

async function build(folder: string): Promise<string | undefined> {
  const program = join(folder, "go-metrics");
  const options = {
    cwd: source,
    env: { ...process.env, GOWORK: "off", GOFLAGS: "-mod=readonly -buildvcs=false" },
    timeout: 600_000,
  };
  const hasModules = await run("go", ["mod", "download"], options).then(
    () => true,
    () => false,
  );
  if (!hasModules) return undefined;
  await run("go", ["build", "-o", program, "."], options);
  return program;
}

describe("the telemetry of these tests beside go-metrics", () => {
  it("has the same names, labels and values", { timeout: 700_000 }, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "go-metrics-"));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const program = await build(folder);
    if (program === undefined) {
      t.skip("go is not installed, or cannot fetch its modules");
      return;
    }
    const child = spawn(program, { stdio: ["pipe", "pipe", "inherit"] });
    child.stdin.end(calls.map((call) => `${JSON.stringify(call)}\n`).join(""));
    const exposition = parseExposition(await text(child.stdout));
    const sink = new GoMetricsSink();
    for (const call of calls) sink.take(call);
    assert.deepEqual(sorted(sink.samples()), sorted(exposition));
  });
});
