/**
 * The plugin's numbers: kept here, shown to SPIRE's Metrics host service as they happen, and as Prometheus text to whoever
 * asks on the loopback address.
 */
import type { Clock } from "../key-manager/ports.ts";
import type { CallResult, Telemetry, TelemetryEvent, TelemetryGauges } from "../key-manager/telemetry.ts";
import type { Metrics as HostMetrics } from "../plugin-sdk/index.ts";

/** Upper bounds in seconds: KMS answers in tens of milliseconds, and no call lasts longer than SPIRE's 30 s. */
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

interface Histogram {
  readonly counts: number[];
  sum: number;
  count: number;
}

type Labels = Readonly<Record<string, string>>;

const escapeLabel = (value: string) =>
  value.replace(/[\\"\n]/g, (character) => (character === "\n" ? "\\n" : `\\${character}`));

const series = (name: string, labels: Labels, value: number): string => {
  const pairs = Object.entries(labels).map(([key, label]) => `${key}="${escapeLabel(label)}"`);
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}`;
};

/** Label values as dashboards know them since the first release: `NotFound` for the code NOT_FOUND. */
const labelOf = (result: CallResult): string =>
  result === "ok"
    ? result
    : result.toLowerCase().replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());

class Counters {
  readonly #values = new Map<string, { readonly labels: Labels; value: number }>();

  add(labels: Labels): void {
    const key = JSON.stringify(labels);
    const entry = this.#values.get(key);
    if (entry === undefined) this.#values.set(key, { labels, value: 1 });
    else entry.value++;
  }

  lines(name: string): string[] {
    return [...this.#values.values()].map(({ labels, value }) => series(name, labels, value));
  }
}

export class PluginMetrics implements Telemetry {
  readonly #prefix: string;
  readonly #gauges: () => TelemetryGauges;
  readonly #calls = new Counters();
  readonly #retries = new Counters();
  readonly #events = new Counters();
  readonly #durations = new Map<string, Histogram>();
  readonly #tasks = new Map<string, Date>();
  #host: HostMetrics | undefined;

  /** @param prefix first part of every name, such as `aws_kms` */
  constructor(prefix: string, gauges: () => TelemetryGauges) {
    this.#prefix = prefix;
    this.#gauges = gauges;
  }

  /** From now on SPIRE is told, too. */
  attach(host: HostMetrics): void {
    this.#host = host;
  }

  awsCall(operation: string, outcome: CallResult, startedAt: Date, durationMs: number): void {
    const result = labelOf(outcome);
    this.#calls.add({ operation, result });
    this.#observe(operation, durationMs / 1000);
    this.#host?.incrCounter([this.#prefix, "aws_call"], 1, { operation, result });
    this.#host?.measureSince([this.#prefix, "aws_call", "elapsed_time"], startedAt, { operation, result });
  }

  awsRetry(operation: string, cause: CallResult): void {
    const reason = labelOf(cause);
    this.#retries.add({ operation, reason });
    this.#host?.incrCounter([this.#prefix, "aws_retry"], 1, { operation, reason });
  }

  count(event: TelemetryEvent): void {
    this.#events.add({ event });
    this.#host?.incrCounter([this.#prefix, event], 1);
  }

  taskDone(task: string, at: Date): void {
    this.#tasks.set(task, at);
    this.pushGauges();
  }

  /** Tells SPIRE the numbers of this moment. */
  pushGauges(): void {
    const { liveKeys, deletionsQueued } = this.#gauges();
    this.#host?.setGauge([this.#prefix, "live_keys"], liveKeys);
    this.#host?.setGauge([this.#prefix, "deletions_queued"], deletionsQueued);
    for (const [task, at] of this.#tasks) {
      const ageSeconds = (Date.now() - at.getTime()) / 1000;
      this.#host?.setGauge([this.#prefix, "task_age_seconds"], ageSeconds, { task });
    }
  }

  /** Tells SPIRE the numbers again and again, until the signal aborts. Never rejects. */
  async keepPushing(clock: Clock, everyMs: number, signal?: AbortSignal): Promise<void> {
    for (;;) {
      try {
        await clock.sleep(everyMs, signal);
      } catch {
        return;
      }
      this.pushGauges();
    }
  }

  /** Prometheus's text format, version 0.0.4. */
  prometheusText(): string {
    const name = (suffix: string) => `spire_${this.#prefix}_${suffix}`;
    const { liveKeys, deletionsQueued } = this.#gauges();
    const families: readonly (readonly [name: string, type: string, help: string, lines: readonly string[]])[] = [
      [
        name("aws_calls_total"),
        "counter",
        "Attempts of AWS calls, by how they ended.",
        this.#calls.lines(name("aws_calls_total")),
      ],
      [
        name("aws_call_duration_seconds"),
        "histogram",
        "Duration of AWS call attempts.",
        this.#histogramLines(name("aws_call_duration_seconds")),
      ],
      [
        name("aws_retries_total"),
        "counter",
        "AWS calls tried again, by reason.",
        this.#retries.lines(name("aws_retries_total")),
      ],
      [name("events_total"), "counter", "What the plugin did.", this.#events.lines(name("events_total"))],
      [name("live_keys"), "gauge", "Keys this server uses.", [series(name("live_keys"), {}, liveKeys)]],
      [
        name("deletions_queued"),
        "gauge",
        "Keys not yet scheduled for deletion.",
        [series(name("deletions_queued"), {}, deletionsQueued)],
      ],
      [
        name("task_last_success_timestamp_seconds"),
        "gauge",
        "When a background task last succeeded.",
        [...this.#tasks].map(([task, at]) =>
          series(name("task_last_success_timestamp_seconds"), { task }, at.getTime() / 1000),
        ),
      ],
    ];
    return families
      .filter(([, , , lines]) => lines.length > 0)
      .flatMap(([family, type, help, lines]) => [`# HELP ${family} ${help}`, `# TYPE ${family} ${type}`, ...lines])
      .join("\n")
      .concat("\n");
  }

  #observe(operation: string, seconds: number): void {
    let histogram = this.#durations.get(operation);
    if (histogram === undefined) {
      histogram = { counts: buckets.map(() => 0), sum: 0, count: 0 };
      this.#durations.set(operation, histogram);
    }
    histogram.sum += seconds;
    histogram.count++;
    const at = buckets.findIndex((bound) => seconds <= bound);
    if (at >= 0) histogram.counts[at] = (histogram.counts[at] ?? 0) + 1;
  }

  #histogramLines(name: string): string[] {
    return [...this.#durations].flatMap(([operation, { counts, sum, count }]) => {
      let below = 0;
      const lines = buckets.map((bound, index) => {
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
