/** The built plugin on the embedded KMS, with both places where its metrics come out in view. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { HashAlgorithm } from "../../src/plugin-sdk/index.ts";
import type { Settings } from "../plugin/harness/settings.ts";
import type { Stage } from "../plugin/harness/stage.ts";
import type { TestPlugin } from "../plugin/harness/test-plugin.ts";
import { GoMetricsSink, parseExposition, type Sample } from "./go-metrics-sink.ts";

/** Both expositions at one moment. */
export interface Snapshot {
  readonly atSeconds: number;
  readonly own: readonly Sample[];
  readonly host: readonly Sample[];
}

const freePort = () =>
  new Promise<number>((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });

const patienceMs = 120_000;

export class WatchedPlugin {
  readonly plugin: TestPlugin;
  readonly sink: GoMetricsSink;
  readonly #port: number;

  /** The value of `metrics_listen`. */
  get listen(): string {
    return `127.0.0.1:${this.#port}`;
  }

  constructor(plugin: TestPlugin, sink: GoMetricsSink, port: number) {
    this.plugin = plugin;
    this.sink = sink;
    this.#port = port;
  }

  static async start(
    stage: Stage,
    settings: Settings,
    env: Record<string, string | undefined> = {},
  ): Promise<WatchedPlugin> {
    const sink = new GoMetricsSink();
    const port = await freePort();
    const plugin = await stage.start({ hostServices: [sink.service()], env });
    await plugin.configure({ ...settings, metrics_listen: `127.0.0.1:${port}` });
    return new WatchedPlugin(plugin, sink, port);
  }

  async own(): Promise<readonly Sample[]> {
    return parseExposition(await (await fetch(`http://127.0.0.1:${this.#port}/metrics`)).text());
  }

  /** Waits until what happened has come out in both places, and both agree about it. */
  async until(is: (own: readonly Sample[]) => boolean): Promise<Snapshot> {
    const giveUpAt = performance.now() + patienceMs;
    for (;;) {
      const own = await this.own();
      if (is(own) && this.#hostHasAll(own)) {
        return { atSeconds: Date.now() / 1000, own, host: this.sink.samples() };
      }
      assert.ok(performance.now() < giveUpAt, `the metrics never came:\n${JSON.stringify(own)}`);
      await delay(100);
    }
  }

  async sign(keyId: string, times = 1): Promise<void> {
    const data = createHash("sha256").update(randomBytes(8)).digest();
    for (let time = 0; time < times; time++) {
      await this.plugin.keyManager
        .signData({ keyId, data, signerOpts: { case: "hashAlgorithm", value: HashAlgorithm.SHA256 } })
        .catch(() => undefined);
    }
  }

  /** SPIRE is told of each number after the plugin has it. */
  #hostHasAll(own: readonly Sample[]): boolean {
    return own.every(({ name, labels, value }) => {
      const host = (suffix: string, wanted: Readonly<Record<string, string>> = {}) =>
        (this.sink.total(`spire_server_aws_kms_${suffix}`, wanted) ?? 0) >= value;
      if (name.endsWith("_events_total")) return host(labels.event ?? "");
      if (name.endsWith("_aws_calls_total")) return host("aws_call", labels);
      if (name.endsWith("_aws_retries_total")) return host("aws_retry", labels);
      if (name.endsWith("_live_keys")) return this.sink.total("spire_server_aws_kms_live_keys") === value;
      if (name.endsWith("_replicas")) {
        const cleaned = Object.fromEntries(
          Object.entries(labels).map(([key, text]) => [key, text.replaceAll("-", "_")]),
        );
        return this.sink.total("spire_server_aws_kms_replicas", cleaned) === value;
      }
      return name.endsWith("_deletions_queued")
        ? this.sink.total("spire_server_aws_kms_deletions_queued") === value
        : true;
    });
  }
}

/** The sum of a family's series that have these labels; undefined while there is none. */
export function numberOf(
  samples: readonly Sample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const found = samples.filter(
    (sample) =>
      sample.name === `spire_aws_kms_${name}` &&
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );
  return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0);
}
