/**
 * The plugin's numbers: kept here, shown to SPIRE's Metrics host service as they happen, and as Prometheus text to whoever
 * asks on the loopback address.
 */
import type { Clock } from "../key-manager/ports.ts";
import type { CallResult, Telemetry, TelemetryEvent, TelemetryGauges } from "../key-manager/telemetry.ts";
import type { Metrics as HostMetrics } from "../plugin-sdk/index.ts";
import { events, type HostFamily, type OwnFamily, ownFamilies } from "./metric-families.ts";
import { Counters, familyLines, Histograms, type Labels, series } from "./prometheus-text.ts";

/** Upper bounds in seconds: KMS answers in tens of milliseconds, and no call lasts longer than SPIRE's 30 s. */
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Gauges are told this often for each time that counters are. */
const gaugesPerCounters = 3;

/** Label values as dashboards know them since the first release: `NotFound` for the code NOT_FOUND. */
const labelOf = (result: CallResult): string =>
  result === "ok"
    ? result
    : result.toLowerCase().replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());

export class PluginMetrics implements Telemetry {
  readonly #prefix: string;
  readonly #gauges: () => TelemetryGauges;
  readonly #calls = new Counters();
  readonly #retries = new Counters();
  readonly #events = new Counters();
  readonly #durations = new Histograms(buckets);
  readonly #tasks = new Map<string, Date>();
  #host: HostMetrics | undefined;

  /** @param prefix first part of every name, such as `aws_kms` */
  constructor(prefix: string, gauges: () => TelemetryGauges) {
    this.#prefix = prefix;
    this.#gauges = gauges;
    // Prometheus does not see the increase of a counter that begins at 1.
    for (const event of events) this.#events.add({ event }, 0);
  }

  /** From now on SPIRE is told, too. */
  attach(host: HostMetrics): void {
    this.#host = host;
    this.pushCounters();
  }

  awsCall(operation: string, outcome: CallResult, startedAt: Date, durationMs: number): void {
    const result = labelOf(outcome);
    this.#calls.add({ operation, result });
    this.#durations.observe(operation, durationMs / 1000);
    this.#tellCounter("aws_call", 1, { operation, result });
    this.#host?.measureSince(this.#key("aws_call.elapsed_time"), startedAt, { operation, result });
  }

  awsRetry(operation: string, cause: CallResult): void {
    const reason = labelOf(cause);
    this.#retries.add({ operation, reason });
    this.#tellCounter("aws_retry", 1, { operation, reason });
  }

  count(event: TelemetryEvent): void {
    this.#events.add({ event });
    this.#tellCounter(event, 1);
    // What has changed with it is not left to the next round.
    if (event === "region_failovers") this.pushGauges();
  }

  taskDone(task: string, at: Date): void {
    this.#tasks.set(task, at);
    this.pushGauges();
  }

  /** Tells SPIRE the numbers of this moment. */
  pushGauges(): void {
    const { liveKeys, deletionsQueued, replicas = [], regions = [] } = this.#gauges();
    this.#tellGauge("live_keys", liveKeys);
    this.#tellGauge("deletions_queued", deletionsQueued);
    for (const { region, condition: state, count } of replicas) this.#tellGauge("replicas", count, { region, state });
    for (const { region, isAnswering } of regions) this.#tellGauge("region_answers", isAnswering ? 1 : 0, { region });
    for (const [task, at] of this.#tasks) {
      this.#tellGauge("task_age_seconds", (Date.now() - at.getTime()) / 1000, { task });
    }
  }

  /** Adds nothing to each counter: SPIRE's sink for Prometheus forgets one, and where it stood, after a minute without a word. */
  pushCounters(): void {
    for (const event of events) this.#tellCounter(event, 0);
    for (const labels of this.#calls.all) this.#tellCounter("aws_call", 0, labels);
    for (const labels of this.#retries.all) this.#tellCounter("aws_retry", 0, labels);
  }

  /** Tells SPIRE the numbers again and again, until the signal aborts. Never rejects. */
  async keepPushing(clock: Clock, everyMs: number, signal?: AbortSignal): Promise<void> {
    for (let round = 1; ; round++) {
      try {
        await clock.sleep(everyMs, signal);
      } catch {
        return;
      }
      this.pushGauges();
      if (round % gaugesPerCounters === 0) this.pushCounters();
    }
  }

  /** Prometheus's text format, version 0.0.4. */
  prometheusText(): string {
    const { liveKeys, deletionsQueued, replicas = [], regions = [] } = this.#gauges();
    const seriesOf: Readonly<Record<OwnFamily, (name: string) => readonly string[]>> = {
      aws_calls_total: (name) => this.#calls.lines(name),
      aws_call_duration_seconds: (name) => this.#durations.lines(name),
      aws_retries_total: (name) => this.#retries.lines(name),
      events_total: (name) => this.#events.lines(name),
      live_keys: (name) => [series(name, {}, liveKeys)],
      deletions_queued: (name) => [series(name, {}, deletionsQueued)],
      replicas: (name) => replicas.map(({ region, condition: state, count }) => series(name, { region, state }, count)),
      region_answers: (name) => regions.map(({ region, isAnswering }) => series(name, { region }, isAnswering ? 1 : 0)),
      task_last_success_timestamp_seconds: (name) =>
        [...this.#tasks].map(([task, at]) => series(name, { task }, at.getTime() / 1000)),
    };
    return (Object.keys(ownFamilies) as OwnFamily[])
      .flatMap((family) => {
        const name = `spire_${this.#prefix}_${family}`;
        return familyLines(name, ownFamilies[family], seriesOf[family](name));
      })
      .join("\n")
      .concat("\n");
  }

  #key(family: HostFamily): readonly string[] {
    return [this.#prefix, ...family.split(".")];
  }

  #tellCounter(family: HostFamily, value: number, labels?: Labels): void {
    this.#host?.incrCounter(this.#key(family), value, labels);
  }

  #tellGauge(family: HostFamily, value: number, labels?: Labels): void {
    this.#host?.setGauge(this.#key(family), value, labels);
  }
}
