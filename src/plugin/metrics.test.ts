/** The plugin's numbers as SPIRE and Prometheus get them. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { afterEach, describe, it } from "node:test";
import { VirtualTime } from "../../test/simulation/virtual-time.ts";
import { KeyManagerError } from "../key-manager/errors.ts";
import { events } from "./metric-families.ts";
import { PluginMetrics } from "./metrics.ts";
import { MetricsServer } from "./metrics-server.ts";

const gauges = () => ({ liveKeys: 4, deletionsQueued: 1 });
const gaugesOfRegions = () => ({
  ...gauges(),
  replicas: [{ region: "us-west-2", condition: "ready", count: 3 }],
  regions: [
    { region: "us-east-1", isAnswering: false },
    { region: "us-west-2", isAnswering: true },
  ],
});

describe("plugin metrics", () => {
  it("are told as Prometheus text", () => {
    const metrics = new PluginMetrics("aws_kms", gauges);
    const at = new Date("2026-11-22T10:00:00Z");
    metrics.awsCall("Sign", "ok", at, 12);
    metrics.awsCall("Sign", "ok", at, 300);
    metrics.awsCall("Sign", "THROTTLED", at, 3);
    metrics.awsRetry("Sign", "THROTTLED");
    metrics.count("keys_created");
    metrics.taskDone("refresh aliases", at);
    const lines = metrics.prometheusText().split("\n");
    for (const line of [
      "# TYPE spire_aws_kms_aws_calls_total counter",
      'spire_aws_kms_aws_calls_total{operation="Sign",result="ok"} 2',
      'spire_aws_kms_aws_calls_total{operation="Sign",result="Throttled"} 1',
      'spire_aws_kms_aws_call_duration_seconds_bucket{operation="Sign",le="0.005"} 1',
      'spire_aws_kms_aws_call_duration_seconds_bucket{operation="Sign",le="0.025"} 2',
      'spire_aws_kms_aws_call_duration_seconds_bucket{operation="Sign",le="0.5"} 3',
      'spire_aws_kms_aws_call_duration_seconds_bucket{operation="Sign",le="+Inf"} 3',
      'spire_aws_kms_aws_call_duration_seconds_count{operation="Sign"} 3',
      'spire_aws_kms_aws_retries_total{operation="Sign",reason="Throttled"} 1',
      'spire_aws_kms_events_total{event="keys_created"} 1',
      "spire_aws_kms_live_keys 4",
      "spire_aws_kms_deletions_queued 1",
      `spire_aws_kms_task_last_success_timestamp_seconds{task="refresh aliases"} ${at.getTime() / 1000}`,
    ]) {
      assert.ok(lines.includes(line), `${line}\nis not in\n${lines.join("\n")}`);
    }
  });

  it("tell of replicas and of Regions that do not answer", () => {
    const metrics = new PluginMetrics("aws_kms", gaugesOfRegions);
    const lines = metrics.prometheusText().split("\n");
    for (const line of [
      'spire_aws_kms_replicas{region="us-west-2",state="ready"} 3',
      'spire_aws_kms_region_answers{region="us-east-1"} 0',
      'spire_aws_kms_region_answers{region="us-west-2"} 1',
    ]) {
      assert.ok(lines.includes(line), line);
    }
    const told: string[] = [];
    const tell = (...values: unknown[]) => void told.push(JSON.stringify(values));
    metrics.attach({ setGauge: tell, emitKey: tell, incrCounter: tell, addSample: tell, measureSince: tell });
    metrics.pushGauges();
    assert.ok(told.includes('[["aws_kms","replicas"],3,{"region":"us-west-2","state":"ready"}]'));
    assert.ok(told.includes('[["aws_kms","region_answers"],0,{"region":"us-east-1"}]'));
  });

  it("reach SPIRE once it is there", () => {
    const metrics = new PluginMetrics("aws_kms", gauges);
    metrics.awsCall("Sign", "ok", new Date(), 1);
    const told: string[] = [];
    const tell = (...values: unknown[]) =>
      void told.push(JSON.stringify(values.filter((value) => value !== undefined)));
    metrics.attach({ setGauge: tell, emitKey: tell, incrCounter: tell, addSample: tell, measureSince: tell });
    assert.deepEqual(told.splice(0).sort(), [
      '[["aws_kms","aws_call"],0,{"operation":"Sign","result":"ok"}]',
      ...events.map((event) => `[["aws_kms","${event}"],0]`).sort(),
    ]);
    metrics.awsCall("CreateKey", "ACCESS_DENIED", new Date(0), 1);
    metrics.pushGauges();
    assert.deepEqual(told, [
      '[["aws_kms","aws_call"],1,{"operation":"CreateKey","result":"AccessDenied"}]',
      '[["aws_kms","aws_call","elapsed_time"],"1970-01-01T00:00:00.000Z",{"operation":"CreateKey","result":"AccessDenied"}]',
      '[["aws_kms","live_keys"],4]',
      '[["aws_kms","deletions_queued"],1]',
    ]);
  });

  it("begin at zero, and are not forgotten by a sink that hears nothing for a minute", async () => {
    const metrics = new PluginMetrics("aws_kms", gauges);
    for (const event of events) {
      assert.match(metrics.prometheusText(), new RegExp(`^spire_aws_kms_events_total\\{event="${event}"\\} 0$`, "m"));
    }
    const time = new VirtualTime({ now: () => new Date(0), advance: () => undefined });
    const clock = time.clockFor(undefined, () => 0);
    const heard = new Map<string, { at: number; sum: number }>();
    const nothing = () => undefined;
    metrics.attach({
      setGauge: nothing,
      emitKey: nothing,
      addSample: nothing,
      measureSince: nothing,
      incrCounter(key, value, labels) {
        const name = JSON.stringify([key, labels]);
        const at = clock.elapsedMs();
        const before = heard.get(name) ?? { at, sum: 0 };
        assert.ok(at - before.at < 60_000, `${name} was forgotten`);
        heard.set(name, { at, sum: before.sum + value });
      },
    });
    metrics.count("wrong_signatures");
    metrics.awsRetry("Sign", "THROTTLED");
    const end = new AbortController();
    const pushing = metrics.keepPushing(clock, 10_000, end.signal);
    await time.run(600_000);
    end.abort();
    await pushing;
    const last = clock.elapsedMs();
    for (const [name, { at }] of heard) assert.ok(last - at < 60_000, name);
    assert.equal(heard.get('[["aws_kms","wrong_signatures"],null]')?.sum, 1);
  });

  it("reach SPIRE every few seconds, as they are by then", async () => {
    let liveKeys = 0;
    const metrics = new PluginMetrics("aws_kms", () => ({ liveKeys, deletionsQueued: 0 }));
    const told: number[] = [];
    const nothing = () => undefined;
    metrics.attach({
      setGauge: (key, value) => void (key[1] === "live_keys" && told.push(value)),
      emitKey: nothing,
      incrCounter: nothing,
      addSample: nothing,
      measureSince: nothing,
    });
    const time = new VirtualTime({ now: () => new Date(0), advance: nothing });
    const end = new AbortController();
    const pushing = metrics.keepPushing(
      time.clockFor(undefined, () => 0),
      10_000,
      end.signal,
    );
    await time.run(15_000);
    liveKeys = 3;
    await time.run(15_000);
    assert.deepEqual(told, [0, 3, 3]);
    end.abort();
    await pushing;
    await time.run(60_000);
    assert.equal(told.length, 3);
  });
});

describe("metrics server", () => {
  const servers: MetricsServer[] = [];
  const create = () => {
    const server = new MetricsServer(() => "numbers 1\n");
    servers.push(server);
    return server;
  };
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.moveWhile(undefined, async () => undefined);
  });
  const freePort = () =>
    new Promise<number>((resolve) => {
      const probe = createServer().listen(0, "127.0.0.1", () => {
        const address = probe.address();
        probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
      });
    });

  it("answers at /metrics and nowhere else, and moves", async () => {
    const server = create();
    const [first, second] = [await freePort(), await freePort()];
    await server.moveWhile({ host: "127.0.0.1", port: first }, async () => undefined);
    const answer = await fetch(`http://127.0.0.1:${first}/metrics`);
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get("content-type") ?? "", /version=0\.0\.4/);
    assert.equal(await answer.text(), "numbers 1\n");
    assert.equal((await fetch(`http://127.0.0.1:${first}/`)).status, 404);
    await server.moveWhile({ host: "127.0.0.1", port: second }, async () => undefined);
    await assert.rejects(fetch(`http://127.0.0.1:${first}/metrics`));
    assert.equal((await fetch(`http://127.0.0.1:${second}/metrics`)).status, 200);
  });

  it("stays where it was when the attempt fails", async () => {
    const server = create();
    const [first, second] = [await freePort(), await freePort()];
    await server.moveWhile({ host: "127.0.0.1", port: first }, async () => undefined);
    const failing = server.moveWhile({ host: "127.0.0.1", port: second }, async () => {
      throw new Error("no");
    });
    await assert.rejects(failing, /no/);
    assert.equal((await fetch(`http://127.0.0.1:${first}/metrics`)).status, 200);
    await assert.rejects(fetch(`http://127.0.0.1:${second}/metrics`));
  });

  it("names a port that is taken", async () => {
    const [one, other] = [create(), create()];
    const port = await freePort();
    await one.moveWhile({ host: "127.0.0.1", port }, async () => undefined);
    await assert.rejects(
      other.moveWhile({ host: "127.0.0.1", port }, async () => assert.fail("must not be tried")),
      (error) =>
        error instanceof KeyManagerError && /metrics_listen: cannot listen on 127\.0\.0\.1:\d+/.test(error.message),
    );
  });
});
