/**
 * The table that performance is judged by: `npm run bench -- [--quick] [--rows NAME,…] [--against PROGRAM] [--json FILE]
 * [--long] [--busy]`.
 *
 * The built plugin and a peer in Go are measured in turn by one driver, on one stub of KMS. What each row must reach stands
 * in table/rows.ts; how it is measured in docs/performance.md, "How it is measured".
 */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { pluginCommand } from "./plugin.ts";
import { aliasOf, type Bench, type Contestant, fullSizes, keys, quickSizes } from "./table/bench.ts";
import { buildGoPrograms, startGoDriver, startGoStub } from "./table/go-programs.ts";
import type { Driver, Kms } from "./table/instruments.ts";
import { type Measurement, measurements } from "./table/measurements.ts";
import { startNodePrograms } from "./table/node-programs.ts";
import { type BenchReport, judge, lineOf, markdownOf, type RowResult, type Samples } from "./table/report.ts";
import { type RowName, type RowSpec, rowSpecs } from "./table/rows.ts";

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    long: { type: "boolean", default: false },
    busy: { type: "boolean", default: false },
    rows: { type: "string" },
    against: { type: "string" },
    json: { type: "string" },
    markdown: { type: "string" },
  },
});

/** @returns the rows that are asked for; without any, all */
function wantedRows(): ReadonlySet<string> {
  const known = rowSpecs.map(({ name }) => name as string);
  const wanted = options.rows?.split(",") ?? known;
  const unknown = wanted.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`--rows: no row "${unknown[0]}"; the rows are ${known.join(", ")}`);
  return new Set(wanted);
}

function output(command: string, ...args: readonly string[]): string {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "";
  }
}

interface Instruments {
  readonly driver: Driver;
  readonly kms: Kms;
  readonly contestants: readonly Contestant[];
  /** Why there is no peer. */
  readonly missing?: string;
}

async function prepare(): Promise<Instruments> {
  const ours: Contestant = { name: "ours", path: pluginCommand };
  const against = options.against === undefined ? undefined : resolve(options.against);
  if (against !== undefined && !existsSync(against))
    throw new Error(`--against: ${against} is not there; build it first`);
  const others: readonly Contestant[] = against === undefined ? [] : [{ name: "against", path: against }];
  const programs = await buildGoPrograms();
  if (typeof programs === "string") {
    console.log(`Without the peer and the stub in Go: ${programs}.`);
    return {
      ...(await startNodePrograms(keys.map(({ id }) => aliasOf(id)))),
      contestants: [ours, ...others],
      missing: programs,
    };
  }
  const peer: Contestant = { name: "go", path: programs["go-peer"] };
  const driver = startGoDriver(programs["go-driver"]);
  return { driver, kms: await startGoStub(programs["go-stub"]), contestants: [ours, peer, ...others] };
}

/** Why a row is not measured, if it is not. */
function whyNot({ isLeftOutOf }: Measurement, spec: RowSpec, missing: string | undefined): string | undefined {
  const isAskedFor = options.rows !== undefined || options.long;
  if (isLeftOutOf === "all" && !isAskedFor) return "takes long, ask for it with --long";
  if (isLeftOutOf === "quick" && options.quick && !isAskedFor) return "not in the quick form";
  return spec.needsGo && missing !== undefined ? `needs Go: ${missing}` : undefined;
}

async function measureAll({ missing, ...instruments }: Instruments): Promise<RowResult[]> {
  const wanted = wantedRows();
  const results: RowResult[] = [];
  const tell = (row: RowResult) => {
    results.push(row);
    console.log(lineOf(row));
  };
  for (const measurement of measurements) {
    const rows = measurement.rows.filter((name) => wanted.has(name));
    const specs = rows.map(
      (name) => rowSpecs.find((spec) => spec.name === name) as RowSpec & { readonly name: RowName },
    );
    const reasons = specs.map((spec) => whyNot(measurement, spec, missing));
    const samples = new Map<RowName, Record<string, number[]>>();
    const bench: Bench = {
      ...instruments,
      sizes: options.quick ? quickSizes : fullSizes,
      record(row, contestant, value) {
        const of = samples.get(row) ?? {};
        of[contestant] = [...(of[contestant] ?? []), value];
        samples.set(row, of);
      },
    };
    if (reasons.includes(undefined)) await measurement.run(bench);
    for (const [index, { name }] of specs.entries())
      tell(judge(name, reasons[index] ?? (samples.get(name) as Samples)));
  }
  return results.toSorted((a, b) => orderOf(a) - orderOf(b));
}

const orderOf = ({ name }: RowResult): number => rowSpecs.findIndex((spec) => spec.name === name);

const built = ["src", "scripts", "proto", "package-lock.json"];

const load = (): number => Number((loadavg()[0] ?? 0).toFixed(1));

function environment(driver: Driver, loadBefore: number): BenchReport["environment"] {
  // Of what is built: a commit that changes documents makes no other plugin.
  const revision = output("git", "log", "-1", "--format=%h", "--", ...built);
  const isChanged = output("git", "status", "--porcelain", "--", ...built) !== "";
  return {
    date: new Date().toISOString().slice(0, 10),
    revision: `${revision}${isChanged ? " with changes" : ""}`,
    node: process.version,
    go: output("go", "env", "GOVERSION"),
    platform: `${process.platform} ${process.arch}`,
    cpu: cpus()[0]?.model ?? "",
    cores: cpus().length,
    memoryMb: Math.round(totalmem() / 2 ** 20),
    loadBefore,
    loadAfter: load(),
    driver: driver.name,
    form: `${options.quick ? "quick" : "full"}${options.busy ? ", with a busy process beside" : ""}`,
  };
}

const loadBefore = load();
const instruments = await prepare();
const busy = options.busy ? spawn(process.execPath, ["-e", "for(;;);"]) : undefined;
try {
  const rows = await measureAll(instruments);
  const report: BenchReport = { environment: environment(instruments.driver, loadBefore), rows };
  const count = (verdict: string) => rows.filter((row) => row.verdict === verdict).length;
  console.log(`${count("met")} met, ${count("short")} short, ${count("skipped")} skipped.`);
  console.log(JSON.stringify(report.environment));
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, undefined, 1)}\n`);
  if (options.markdown !== undefined) writeFileSync(options.markdown, `${markdownOf(rows)}\n`);
} finally {
  busy?.kill();
  await instruments.driver.close();
  await instruments.kms.close();
}
