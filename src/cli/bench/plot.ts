/** Latencies as a small plot for a terminal, and as numbers. */

export interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
  readonly mean: number;
}

/** The value that a share of all is not above. */
const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;

export function percentilesOf(values: readonly number[]): Percentiles {
  const sorted = values.toSorted((one, other) => one - other);
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  return { p50: at(sorted, 0.5), p90: at(sorted, 0.9), p99: at(sorted, 0.99), max: sorted.at(-1) ?? Number.NaN, mean };
}

export const msText = (ms: number): string =>
  ms < 10 ? `${ms.toFixed(1)} ms` : ms < 10_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;

const eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"];

/** A bar of so many columns; of plain signs where a terminal may have no others. */
function bar(part: number, width: number, isPlain: boolean): string {
  if (isPlain) return "#".repeat(part > 0 ? Math.max(1, Math.round(part * width)) : 0);
  const units = Math.max(part > 0 ? 1 : 0, Math.round(part * width * 8));
  return "█".repeat(Math.floor(units / 8)) + (eighths[units % 8] ?? "");
}

/** Bounds that people read at a glance. */
const steps = [1, 2, 5];
const bounds: readonly number[] = [-1, 0, 1, 2, 3, 4].flatMap((power) => steps.map((step) => step * 10 ** power));

interface PlotOptions {
  readonly columns: number;
  readonly isPlain: boolean;
}

/** One line for each stretch of latencies, from the first to the last in which there is one. */
export function plotOf(values: readonly number[], { columns, isPlain }: PlotOptions): string {
  const counts = bounds.map((bound, index) => {
    const from = bounds[index - 1] ?? 0;
    return values.filter((value) => value >= from && value < bound).length;
  });
  const first = counts.findIndex((count) => count > 0);
  const last = counts.findLastIndex((count) => count > 0);
  const most = Math.max(...counts);
  const { p50, p99 } = percentilesOf(values);
  const width = Math.max(10, Math.min(60, columns - 34));
  const lines = counts.slice(first, last + 1).map((count, index) => {
    const to = bounds[first + index] ?? 0;
    const from = bounds[first + index - 1] ?? 0;
    const marks = [p50 >= from && p50 < to ? "p50" : "", p99 >= from && p99 < to ? "p99" : ""]
      .filter(Boolean)
      .join(" ");
    const label = `${from}–${to} ms`.padStart(15);
    return `${isPlain ? label.replace("–", "-") : label} ${String(count).padStart(6)} ${bar(count / most, width, isPlain)}${marks === "" ? "" : ` ${marks}`}`;
  });
  return lines.join("\n");
}
