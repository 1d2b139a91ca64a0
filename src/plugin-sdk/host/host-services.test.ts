/** A plugin meets the services of SPIRE, or does without. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Health, HealthCheckResponse_ServingStatus as ServingStatus } from "../../gen/grpc/health/v1/health_pb.ts";
import { Metrics as MetricsService } from "../../gen/spire/hostservice/common/metrics/v1/metrics_pb.ts";
import type { UnaryClient } from "../../go-plugin/grpc/grpc-client.ts";
import { service } from "../../go-plugin/grpc/grpc-service.ts";
import { silentLogger } from "../../go-plugin/hclog/logger.ts";
import type { Broker } from "../../go-plugin/plugin/grpc-broker.ts";
import { serveInBackground } from "../serve-in-background.ts";
import { createHostServicesFactory, type HostServices } from "./host-services.ts";
import { createMetrics } from "./metrics.ts";

/** A Metrics host service that tells what it got. */
function recordingMetrics() {
  const seen: unknown[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  const record =
    (name: string) =>
    (request: { key: string[]; val?: number; time?: bigint; labels?: { name: string; value: string }[] }) => {
      const labels = Object.fromEntries((request.labels ?? []).map((label) => [label.name, label.value]));
      seen.push([name, request.key.join("."), request.val ?? request.time, labels]);
      for (const { count, resolve } of waiting) if (seen.length >= count) resolve();
      return {};
    };
  return {
    seen,
    reached: (count: number) =>
      new Promise<void>((resolve) => (seen.length >= count ? resolve() : waiting.push({ count, resolve }))),
    registration: service(MetricsService, {
      setGauge: record("setGauge"),
      emitKey: record("emitKey"),
      incrCounter: record("incrCounter"),
      addSample: record("addSample"),
      measureSince: record("measureSince"),
    }),
  };
}

describe("host services", () => {
  it("carry every metric to the host", async () => {
    const metrics = recordingMetrics();
    let host: HostServices | undefined;
    const plugin = await serveInBackground(
      {
        services: [],
        onInit: (given) => {
          host = given;
          // At once, while the connection is being made.
          given.metrics.incrCounter(["aws_kms", "sign"], 2, { key_type: "EC_P256" });
        },
      },
      { hostServices: [metrics.registration] },
    );
    await metrics.reached(1);
    host?.metrics.setGauge(["keys"], 4);
    host?.metrics.emitKey(["k"], 0.5);
    host?.metrics.addSample(["s"], 1.5, { a: "b" });
    host?.metrics.measureSince(["t"], new Date(1_700_000_000_123));
    await metrics.reached(5);
    assert.deepEqual(
      [...metrics.seen].sort(),
      [
        ["addSample", "s", 1.5, { a: "b" }],
        ["emitKey", "k", 0.5, {}],
        ["incrCounter", "aws_kms.sign", 2, { key_type: "EC_P256" }],
        ["measureSince", "t", 1_700_000_000_123_000_000n, {}],
        ["setGauge", "keys", 4, {}],
      ].sort(),
    );
    await plugin.stop();
  });

  it("give a client of any service that Init has named, and of no other", async () => {
    const health = service(Health, {
      check: () => ({ status: ServingStatus.SERVING }),
      async *watch() {},
    });
    let host: HostServices | undefined;
    const plugin = await serveInBackground(
      {
        services: [],
        onInit: (given) => {
          host = given;
        },
      },
      { hostServices: [health] },
    );
    const client = await host?.client(Health);
    assert.equal((await client?.check({}))?.status, ServingStatus.SERVING);
    assert.equal(await host?.client(MetricsService), undefined);
    assert.doesNotThrow(() => host?.metrics.incrCounter(["x"], 1));
    await plugin.stop();
  });

  it("are left alone when Init names none", () => {
    const broker: Broker = { dial: () => assert.fail("dialled") };
    const host = createHostServicesFactory(broker, silentLogger)([]);
    host.metrics.incrCounter(["x"], 1);
  });

  it("never fail the plugin when the host cannot be reached", async () => {
    const broker: Broker = { dial: () => Promise.reject(new Error("no announcement")) };
    const host = createHostServicesFactory(broker, silentLogger)([MetricsService.typeName]);
    host.metrics.incrCounter(["x"], 1);
    assert.equal(await host.client(MetricsService), undefined);
  });
});

describe("metrics", () => {
  it("are dropped, and not heaped up, while the host does not answer", async () => {
    let calls = 0;
    const pending: (() => void)[] = [];
    const incrCounter = () => {
      calls += 1;
      return new Promise((resolve) => pending.push(() => resolve({})));
    };
    const client = { incrCounter } as unknown as UnaryClient<typeof MetricsService>;
    const metrics = createMetrics(Promise.resolve(client), silentLogger);
    for (let i = 0; i < 1000; i += 1) metrics.incrCounter(["x"], 1);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(calls, 256);
    for (const answer of pending) answer();
    await new Promise((resolve) => setImmediate(resolve));
    metrics.incrCounter(["x"], 1);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(calls, 257);
  });

  it("complain once when they do not get through", async () => {
    let complaints = 0;
    const log = {
      ...silentLogger,
      debug: () => {
        complaints += 1;
      },
    };
    const incrCounter = () => Promise.reject(new Error("unavailable"));
    const client = { incrCounter } as unknown as UnaryClient<typeof MetricsService>;
    const metrics = createMetrics(Promise.resolve(client), log);
    for (let i = 0; i < 5; i += 1) metrics.incrCounter(["x"], 1);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(complaints, 1);
  });
});
