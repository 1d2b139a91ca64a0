/** Metrics that end in SPIRE's own telemetry. */
import type { Metrics as MetricsService } from "../../gen/spire/hostservice/common/metrics/v1/metrics_pb.ts";
import type { UnaryClient } from "../../go-plugin/grpc/grpc-client.ts";
import type { Logger } from "../../go-plugin/hclog/logger.ts";

/** Parts of a metric's name, from the general to the particular. */
export type MetricKey = readonly string[];
export type MetricLabels = Readonly<Record<string, string>>;

/** SPIRE's telemetry. Fire and forget: nothing is returned, nothing thrown, and without the host service nothing is done. */
export interface Metrics {
  setGauge(key: MetricKey, value: number, labels?: MetricLabels): void;
  emitKey(key: MetricKey, value: number): void;
  /** @param value what to add */
  incrCounter(key: MetricKey, value: number, labels?: MetricLabels): void;
  addSample(key: MetricKey, value: number, labels?: MetricLabels): void;
  /** @param start when the measured work began */
  measureSince(key: MetricKey, start: Date, labels?: MetricLabels): void;
}

type MetricsClient = UnaryClient<typeof MetricsService>;

/** Calls on their way, or waiting for the connection; what comes beyond is dropped, since a metric is not worth memory. */
const maxInFlight = 256;
const callTimeoutMs = 5000;

/** @param client resolves to undefined when the host turned out not to be reachable */
export function createMetrics(client: Promise<MetricsClient | undefined>, log: Logger): Metrics {
  let inFlight = 0;
  let hasComplained = false;

  function send(call: (metrics: MetricsClient) => Promise<unknown>): void {
    if (inFlight >= maxInFlight) return;
    inFlight += 1;
    client
      .then((metrics) => (metrics === undefined ? undefined : call(metrics)))
      .catch((error: unknown) => {
        if (!hasComplained) log.debug("metrics do not get through to the host; said once", { error });
        hasComplained = true;
      })
      .finally(() => {
        inFlight -= 1;
      });
  }

  const options = { timeoutMs: callTimeoutMs };
  return {
    setGauge: (key, value, labels) =>
      send((metrics) => metrics.setGauge({ key: [...key], val: value, labels: toLabels(labels) }, options)),
    emitKey: (key, value) => send((metrics) => metrics.emitKey({ key: [...key], val: value }, options)),
    incrCounter: (key, value, labels) =>
      send((metrics) => metrics.incrCounter({ key: [...key], val: value, labels: toLabels(labels) }, options)),
    addSample: (key, value, labels) =>
      send((metrics) => metrics.addSample({ key: [...key], val: value, labels: toLabels(labels) }, options)),
    measureSince: (key, start, labels) =>
      send((metrics) =>
        metrics.measureSince({ key: [...key], time: toNanoseconds(start), labels: toLabels(labels) }, options),
      ),
  };
}

/** For a host that offers no metrics. */
export const noMetrics: Metrics = {
  setGauge: () => undefined,
  emitKey: () => undefined,
  incrCounter: () => undefined,
  addSample: () => undefined,
  measureSince: () => undefined,
};

function toLabels(labels: MetricLabels | undefined): { name: string; value: string }[] {
  return Object.entries(labels ?? {}).map(([name, value]) => ({ name, value }));
}

function toNanoseconds(time: Date): bigint {
  return BigInt(time.getTime()) * 1_000_000n;
}
