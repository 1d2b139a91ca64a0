/** Counters and histograms, and Prometheus's text format, version 0.0.4. */
import type { MetricFamily } from "./metric-families.ts";

export type Labels = Readonly<Record<string, string>>;

const escapeLabel = (value: string) =>
  value.replace(/[\\"\n]/g, (character) => (character === "\n" ? "\\n" : `\\${character}`));

export const series = (name: string, labels: Labels, value: number): string => {
  const pairs = Object.entries(labels).map(([key, label]) => `${key}="${escapeLabel(label)}"`);
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}`;
};

/** A family with its HELP and TYPE; nothing at all while it has no series. */
export const familyLines = (name: string, { type, help }: MetricFamily, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines];

export class Counters {
  readonly #values = new Map<string, { readonly labels: Labels; value: number }>();

  add(labels: Labels, value = 1): void {
    // Counted several times a signature: a key by JSON would be dearer than all the rest.
    let key = "";
    for (const name in labels) key += `${name}\0${labels[name]}\0`;
    const entry = this.#values.get(key);
    if (entry === undefined) this.#values.set(key, { labels, value });
    else entry.value += value;
  }

  /** The labels of every series there is. */
  get all(): readonly Labels[] {
    return [...this.#values.values()].map(({ labels }) => labels);
  }

  lines(name: string): string[] {
    return [...this.#values.values()].map(({ labels, value }) => series(name, labels, value));
  }
}

/** One histogram for each operation. */
export class Histograms {
  readonly #bounds: readonly number[];
  readonly #byOperation = new Map<string, { readonly counts: number[]; sum: number; count: number }>();

  /** @param bounds upper ones, rising */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
  }

  observe(operation: string, value: number): void {
    let histogram = this.#byOperation.get(operation);
    if (histogram === undefined) {
      histogram = { counts: this.#bounds.map(() => 0), sum: 0, count: 0 };
      this.#byOperation.set(operation, histogram);
    }
    histogram.sum += value;
    histogram.count++;
    const at = this.#bounds.findIndex((bound) => value <= bound);
    if (at >= 0) histogram.counts[at] = (histogram.counts[at] ?? 0) + 1;
  }

  lines(name: string): string[] {
    return [...this.#byOperation].flatMap(([operation, { counts, sum, count }]) => {
      let below = 0;
      const lines = this.#bounds.map((bound, index) => {
        below += counts[index] ?? 0;
        return series(`${name}_bucket`, { operation, le: String(bound) }, below);
      });
      return [
        ...lines,
        series(`${name}_bucket`, { operation, le: "+Inf" }, count),
        series(`${name}_sum`, { operation }, sum),
        series(`${name}_count`, { operation }, count),
      ];
    });
  }
}
