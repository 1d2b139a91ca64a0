/**
 * SPIRE's telemetry for Prometheus: its Metrics host service over go-metrics' sink, as docs/monitoring.md, "Where the numbers come out" tells.
 * `go-metrics.interop.test.ts` holds it to the original.
 */
import { MetricsService, service } from "../../src/plugin-sdk/index.ts";

export interface MetricCall {
  readonly kind: "gauge" | "counter" | "sample";
  readonly key: readonly string[];
  readonly value: number;
  readonly labels: Readonly<Record<string, string>>;
}

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly isCounter: boolean;
}

interface Series extends Omit<Sample, "isCounter"> {
  readonly kind: MetricCall["kind"];
  value: number;
  readonly observed: number[];
}

interface Request {
  readonly key: readonly string[];
  readonly labels: readonly { readonly name: string; readonly value: string }[];
}

/** What SPIRE does to labels. */
const sanitize = (text: string): string => text.replace(/[^0-9A-Za-z_]+_?/g, "_");
const nameOf = (key: readonly string[]): string => ["spire_server", ...key].join("_").replace(/[ .=\-/]/g, "_");

/** The value at a rank, without interpolation, as the sink's summaries have it for few values. */
const quantileOf = (values: readonly number[], quantile: number): number => {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(quantile * sorted.length) - 1)] ?? Number.NaN;
};

export class GoMetricsSink {
  /** What was called, in order, for who wants to play it again. */
  readonly calls: MetricCall[] = [];
  readonly #series = new Map<string, Series>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  take(call: MetricCall): void {
    this.calls.push(call);
    const labels = Object.fromEntries(
      Object.entries(call.labels).map(([name, value]) => [sanitize(name), sanitize(value)]),
    );
    const name = nameOf(call.key);
    const id = JSON.stringify([name, labels]);
    const series = this.#series.get(id) ?? { name, labels, kind: call.kind, value: 0, observed: [] };
    this.#series.set(id, series);
    if (call.kind === "sample") series.observed.push(call.value);
    else series.value = call.kind === "gauge" ? call.value : series.value + call.value;
  }

  /** Every series of a scrape. */
  samples(): Sample[] {
    return [...this.#series.values()].flatMap(({ name, labels, kind, value, observed }): Sample[] => {
      if (kind !== "sample") return [{ name, labels, value, isCounter: kind === "counter" }];
      return [
        ...[0.5, 0.9, 0.99].map((quantile) => ({
          name,
          labels: { ...labels, quantile: String(quantile) },
          value: quantileOf(observed, quantile),
          isCounter: false,
        })),
        { name: `${name}_sum`, labels, value: observed.reduce((sum, one) => sum + one, 0), isCounter: true },
        { name: `${name}_count`, labels, value: observed.length, isCounter: true },
      ];
    });
  }

  /** The sum over all label values; undefined while there is none. */
  total(name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
    const found = this.samples().filter(
      (sample) =>
        sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
    );
    return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0);
  }

  /** The host service that a plugin is given. */
  service() {
    const told =
      (kind: MetricCall["kind"]) =>
      ({ key, val, labels }: Request & { readonly val: number }) => {
        this.take({ kind, key, value: val, labels: labelsOf(labels) });
        return {};
      };
    return service(MetricsService, {
      setGauge: told("gauge"),
      incrCounter: told("counter"),
      addSample: told("sample"),
      // The sink for Prometheus has no such thing.
      emitKey: () => ({}),
      measureSince: ({ key, time, labels }) => {
        const elapsedMs = this.#now() - Number(time / 1_000_000n);
        this.take({ kind: "sample", key, value: elapsedMs, labels: labelsOf(labels) });
        return {};
      },
    });
  }
}

const labelsOf = (labels: Request["labels"]) => Object.fromEntries(labels.map(({ name, value }) => [name, value]));

/** Prometheus's text format, read. */
export function parseExposition(text: string): Sample[] {
  const counters = new Set<string>();
  return text.split("\n").flatMap((line): Sample[] => {
    const [, family, type] = /^# TYPE (\S+) (\w+)/.exec(line) ?? [];
    if (family !== undefined && type === "counter") counters.add(family);
    if (family !== undefined && (type === "histogram" || type === "summary")) {
      for (const suffix of ["_bucket", "_sum", "_count"]) counters.add(`${family}${suffix}`);
    }
    const [, name = "", body = "", value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (value === undefined || line.startsWith("#")) return [];
    const labels = [...body.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label, text]) => [label, text]);
    return [{ name, labels: Object.fromEntries(labels), value: Number(value), isCounter: counters.has(name) }];
  });
}
