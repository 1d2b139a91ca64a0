/** From samples to verdicts, and how they are written. */
import type { ContestantName } from "./bench.ts";
import { type RowName, type RowSpec, rowSpecs } from "./rows.ts";

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

export type Samples = Partial<Record<ContestantName, readonly number[]>>;

export interface RowResult extends RowSpec {
  readonly verdict: "met" | "short" | "skipped";
  /** Why it was skipped. */
  readonly reason?: string;
  readonly isAimReached?: boolean;
  /** What the verdict is on. */
  readonly measured?: Spread;
  readonly contestants?: Partial<Record<ContestantName, Spread>>;
  /** This build ÷ the other one, round by round. */
  readonly change?: Spread;
}

export interface BenchReport {
  readonly environment: Readonly<Record<string, string | number>>;
  readonly rows: readonly RowResult[];
}

const rounded = (value: number): number => Number(value.toPrecision(4));

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number) => sorted[index] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  const median = (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2;
  return { min: rounded(at(0)), median: rounded(median), max: rounded(at(sorted.length - 1)) };
}

/** Values of one round were measured one after the other, so a load that comes and goes is in both. */
function ratios(above: readonly number[], below: readonly number[]): readonly number[] {
  return above.flatMap((value, round) => {
    const other = below[round];
    return other === undefined ? [] : [value / other];
  });
}

export function judge(name: RowName, samples: Samples | string): RowResult {
  const spec: RowSpec | undefined = rowSpecs.find((row) => row.name === name);
  if (spec === undefined) throw new Error(`no row "${name}"`);
  if (typeof samples === "string") return { ...spec, verdict: "skipped", reason: samples };
  const { ours = [], go = [], against } = samples;
  const measured = spreadOf(spec.judged === "ratio" ? ratios(ours, go) : ours);
  const reaches = (bound: number) => (spec.isAtLeast ? measured.median >= bound : measured.median <= bound);
  const contestants = Object.fromEntries(Object.entries(samples).map(([who, values]) => [who, spreadOf(values)]));
  return {
    ...spec,
    verdict: reaches(spec.must) ? "met" : "short",
    ...(spec.aim === undefined ? {} : { isAimReached: reaches(spec.aim) }),
    measured,
    contestants,
    ...(against === undefined ? {} : { change: spreadOf(ratios(ours, against)) }),
  };
}

/** Three digits say all that can be compared. */
const shown = (value: number): string =>
  Number(value.toPrecision(3)).toLocaleString("en-US", { maximumFractionDigits: 3 });

export const spreadText = ({ min, median, max }: Spread): string =>
  min === max ? shown(median) : `${shown(min)} / ${shown(median)} / ${shown(max)}`;

export function boundText({ must, aim, isAtLeast }: RowSpec): string {
  const sign = isAtLeast ? "≥" : "≤";
  return `${sign} ${shown(must)}${aim === undefined ? "" : ` (aim ${shown(aim)})`}`;
}

/** The row for a terminal. */
export function lineOf(row: RowResult): string {
  const head = `${row.verdict.padEnd(7)}  ${row.name}: ${row.what}`;
  if (row.measured === undefined) return `${head}: ${row.reason ?? ""}`;
  const each = Object.entries(row.contestants ?? {}).map(([who, spread]) => `${who} ${spreadText(spread)} ${row.unit}`);
  const judged = row.judged === "ratio" ? [`ours ÷ go ${spreadText(row.measured)}`] : [];
  const change = row.change === undefined ? [] : [`ours ÷ against ${spreadText(row.change)}`];
  return `${head}\n         ${[...judged, boundText(row), ...each, ...change].join("; ")}`;
}

/** The rows as a table of Markdown. */
export function markdownOf(rows: readonly RowResult[]): string {
  const hasOther = rows.some(({ change }) => change !== undefined);
  const cell = (spread: Spread | undefined) => (spread === undefined ? "–" : spreadText(spread));
  const head = ["row", "ours", "Go", "judged", "must", "", ...(hasOther ? ["÷ the other build"] : [])];
  const lines = rows.map((row) => {
    const { ours, go } = row.contestants ?? {};
    const judged = row.judged === "ratio" ? cell(row.measured) : "ours";
    const verdict = row.reason === undefined ? row.verdict : `${row.verdict}: ${row.reason}`;
    const other = hasOther ? [cell(row.change)] : [];
    return [`${row.what}, ${row.unit}`, cell(ours), cell(go), judged, boundText(row), verdict, ...other];
  });
  const ruled = [head, head.map(() => "---"), ...lines];
  return ruled.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
