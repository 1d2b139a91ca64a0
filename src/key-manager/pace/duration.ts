/** Durations as Go writes them: `"336h"`, `"1h30m"`, `"1.5h"`, `"0"`. */

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

const part = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;

/** @returns milliseconds, or undefined for text that is no Go duration, and for a negative one */
export function parseDuration(text: string): number | undefined {
  if (text === "0") return 0;
  let total = 0;
  part.lastIndex = 0;
  while (part.lastIndex < text.length) {
    const [, number, unit] = part.exec(text) ?? [];
    if (number === undefined || unit === undefined) return undefined;
    total += Number(number) * (unitMs[unit] ?? Number.NaN);
  }
  return text === "" ? undefined : total;
}

/** Shortest Go form in hours, minutes and seconds. */
export function formatDuration(ms: number): string {
  const parts: string[] = [];
  let rest = ms;
  for (const unit of ["h", "m", "s"] as const) {
    const size = unitMs[unit] ?? 1;
    const count = Math.floor(rest / size);
    if (count > 0) parts.push(`${count}${unit}`);
    rest -= count * size;
  }
  if (rest > 0) parts.push(`${rest}ms`);
  return parts.join("") || "0s";
}
