/** Every row as a bar against what it must reach, as an SVG. */
import type { BenchReport, RowResult, Spread } from "./report.ts";

const width = 860;
const rowHeight = 24;
const margin = { left: 360, right: 90, top: 58, bottom: 40 };
/** How far from the bound can be told: a 64th to 64 times, in powers of four. */
const reach = 64;

/** A share of the bound: 1 is just met, below is better, whichever way the row counts. */
function shares({ measured, must, aim, isAtLeast }: RowResult): (Spread & { readonly aim?: number }) | undefined {
  if (measured === undefined) return undefined;
  const share = (value: number) => (isAtLeast ? must / value : value / must);
  const [min, max] = [share(measured.min), share(measured.max)].toSorted((a, b) => a - b) as [number, number];
  return { min, median: share(measured.median), max, ...(aim === undefined ? {} : { aim: share(aim) }) };
}

function x(share: number): number {
  const bounded = Math.min(reach, Math.max(1 / reach, share));
  const part = (Math.log(bounded) / Math.log(reach) + 1) / 2;
  return Number((margin.left + part * (width - margin.left - margin.right)).toFixed(1));
}

const text = (at: readonly [number, number], words: string, anchor = "middle"): string =>
  `<text x="${at[0]}" y="${at[1]}" text-anchor="${anchor}">${words}</text>`;

function bar(row: RowResult, index: number): readonly string[] {
  const y = margin.top + index * rowHeight + rowHeight / 2;
  const label = text([margin.left - 10, y + 4], `${row.what}${row.judged === "ratio" ? ", ÷ Go" : ""}`, "end");
  const spread = shares(row);
  if (spread === undefined) return [label, text([width - margin.right + 10, y + 4], "skipped", "start")];
  const colour = row.verdict === "met" ? "#0a7d4b" : "#c2410c";
  const from = x(Math.min(1, spread.median));
  const length = Number((x(Math.max(1, spread.median)) - from).toFixed(1));
  const aim = spread.aim === undefined ? [] : [line(x(spread.aim), y - 8, y + 8, "#64748b", "2 2")];
  return [
    label,
    `<rect x="${from}" y="${y - 6}" width="${length}" height="12" fill="${colour}" fill-opacity="0.75"/>`,
    `<line x1="${x(spread.min)}" y1="${y}" x2="${x(spread.max)}" y2="${y}" stroke="#111"/>`,
    ...aim,
    text([width - margin.right + 10, y + 4], `${row.verdict} (× ${spread.median.toPrecision(2)})`, "start"),
  ];
}

function line(at: number, top: number, bottom: number, colour: string, dashes = "none"): string {
  return `<line x1="${at}" y1="${top}" x2="${at}" y2="${bottom}" stroke="${colour}" stroke-dasharray="${dashes}"/>`;
}

export function performancePlot({ rows, environment }: BenchReport): string {
  const height = margin.top + rows.length * rowHeight + margin.bottom;
  const bottom = height - margin.bottom;
  const scale = [1 / 64, 1 / 16, 1 / 4, 1, 4, 16, 64].flatMap((share) => [
    line(x(share), margin.top, bottom, share === 1 ? "#111" : "#ddd"),
    text([x(share), bottom + 16], share === 1 ? "must" : share < 1 ? `÷ ${1 / share}` : `× ${share}`),
  ]);
  const title = `What is measured, as a share of what it must reach (left is better); revision ${environment.revision}, Node ${environment.node}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text([width / 2, 22], title),
    text([width / 2, 40], "bar: median; thin line: least to most; dashes: the aim; the scale is logarithmic"),
    ...scale,
    ...rows.flatMap(bar),
    "</svg>",
    "",
  ].join("\n");
}
