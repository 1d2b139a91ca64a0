import assert from "node:assert/strict";
import type { DescService } from "@bufbuild/protobuf";
import {
  Config,
  type HclogEntry,
  Init,
  KeyManager,
  KeyType,
  MetricsService,
  type PluginHost,
  type PublicKey,
  type StartPluginOptions,
  service,
  startPlugin,
  type UnaryClient,
  type ValidationResult,
} from "../../../src/plugin-sdk/index.ts";
import { pluginData, type Settings } from "./settings.ts";

export interface TestPluginOptions extends Partial<Omit<StartPluginOptions, "env" | "onLog" | "onStderrLine">> {
  readonly command: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

interface LogWaiter {
  readonly matches: (entry: HclogEntry) => boolean;
  readonly resolve: (entry: HclogEntry) => void;
}

const logTimeoutMs = 120_000;

/** SPIRE's telemetry, which hears everything and keeps nothing. */
const metrics = service(MetricsService, {
  setGauge: () => ({}),
  emitKey: () => ({}),
  incrCounter: () => ({}),
  addSample: () => ({}),
  measureSince: () => ({}),
});

/** A running plugin as SPIRE has it, and everything it said. */
export class TestPlugin {
  readonly host: PluginHost;
  readonly keyManager: UnaryClient<typeof KeyManager>;
  readonly config: UnaryClient<typeof Config>;
  /** Every line of stderr, and every message of a failed call. */
  readonly said: string[];
  readonly logs: readonly HclogEntry[];
  /** Lines of stderr that are no hclog entry. */
  readonly strayLines: readonly string[];
  readonly #waiters: Set<LogWaiter>;

  constructor(host: PluginHost, record: Recorder) {
    this.host = host;
    this.said = record.said;
    this.logs = record.logs;
    this.strayLines = record.strayLines;
    this.#waiters = record.waiters;
    this.keyManager = this.client(KeyManager);
    this.config = this.client(Config);
  }

  /** Starts the executable and initialises it; not yet configured. */
  static async start(options: TestPluginOptions): Promise<TestPlugin> {
    const record = new Recorder();
    const host = await startPlugin({
      cookie: { key: "KeyManager", value: "KeyManager" },
      startTimeoutMs: 120_000,
      hostServices: [metrics],
      ...options,
      onStderrLine: (line) => record.line(line),
      onLog: (entry) => record.entry(entry),
    });
    const plugin = new TestPlugin(host, record);
    await plugin.client(Init).init({ hostServiceNames: [MetricsService.typeName] });
    return plugin;
  }

  /** A client whose failures are kept in `said`. */
  client<Service extends DescService>(service: Service): UnaryClient<Service> {
    type Call = (...input: unknown[]) => Promise<unknown>;
    const calls = Object.entries(this.host.client(service) as Record<string, Call>);
    const recording = calls.map(([name, call]): [string, Call] => [
      name,
      (...input) =>
        call(...input).catch((error: unknown) => {
          this.said.push(String(error));
          throw error;
        }),
    ]);
    return Object.fromEntries(recording) as UnaryClient<Service>;
  }

  async configure(settings: Settings = {}, trustDomain = "example.org"): Promise<void> {
    await this.configureText(pluginData(settings), trustDomain);
  }

  async configureText(hclConfiguration: string, trustDomain = "example.org"): Promise<void> {
    await this.config.configure({ coreConfiguration: { trustDomain }, hclConfiguration });
  }

  async validate(settings: Settings = {}, trustDomain = "example.org"): Promise<ValidationResult> {
    return this.validateText(pluginData(settings), trustDomain);
  }

  async validateText(hclConfiguration: string, trustDomain = "example.org"): Promise<ValidationResult> {
    return this.config.validate({ coreConfiguration: { trustDomain }, hclConfiguration });
  }

  async generate(keyId: string, keyType: KeyType = KeyType.EC_P256): Promise<PublicKey> {
    const { publicKey } = await this.keyManager.generateKey({ keyId, keyType });
    assert.ok(publicKey);
    return publicKey;
  }

  /** Fingerprints by key id, as GetPublicKeys has them. */
  async fingerprints(): Promise<ReadonlyMap<string, string>> {
    const { publicKeys } = await this.keyManager.getPublicKeys({});
    return new Map(publicKeys.map(({ id, fingerprint }) => [id, fingerprint]));
  }

  /** The first log entry, past or to come, with these words in its message and this text somewhere in its fields. */
  logged(message: RegExp, field = ""): Promise<HclogEntry> {
    const matches = (entry: HclogEntry) =>
      message.test(entry.message) && JSON.stringify(Object.values(entry.fields)).includes(field);
    const past = this.logs.find(matches);
    if (past !== undefined) return Promise.resolve(past);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () =>
          reject(
            new Error(
              `no log line ${message} ${field} within ${logTimeoutMs} ms, last:\n${this.said.slice(-10).join("\n")}`,
            ),
          ),
        logTimeoutMs,
      );
      this.#waiters.add({
        matches,
        resolve: (entry) => {
          clearTimeout(timer);
          resolve(entry);
        },
      });
    });
  }

  /** As SPIRE stops it: Deinit, then Shutdown. */
  async stop(): Promise<void> {
    await this.client(Init).deinit({});
    const exit = await this.host.shutdown();
    assert.deepEqual(exit, { code: 0, signal: null, wasKilled: false });
  }
}

class Recorder {
  readonly said: string[] = [];
  readonly logs: HclogEntry[] = [];
  readonly strayLines: string[] = [];
  readonly waiters = new Set<LogWaiter>();

  /** Told of every line before its entry, if it is one. */
  line(line: string): void {
    this.said.push(line);
    this.strayLines.push(line);
  }

  entry(entry: HclogEntry): void {
    this.strayLines.pop();
    this.logs.push(entry);
    for (const waiter of this.waiters) {
      if (!waiter.matches(entry)) continue;
      this.waiters.delete(waiter);
      waiter.resolve(entry);
    }
  }
}
