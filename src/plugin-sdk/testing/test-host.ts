/** A host for tests: plugins of any kind in this process or one of their own, among SPIRE's services, played. */
import type { DescService } from "@bufbuild/protobuf";
import { Config } from "../../gen/spire/service/common/config/v1/config_pb.ts";
import { Init } from "../../gen/spire/service/private/init/v1/init_pb.ts";
import type { CallOptions, ServiceClient } from "../../go-plugin/grpc/grpc-client.ts";
import type { ServiceRegistration } from "../../go-plugin/grpc/grpc-service.ts";
import type { PluginExit } from "../../go-plugin/host/plugin-process.ts";
import { startPlugin } from "../../go-plugin/host/start-plugin.ts";
import type { LoadPlugin, PluginImplementation, PluginType } from "../plugin-definition.ts";
import { type BackgroundPlugin, serveInBackground } from "../serve-in-background.ts";
import { capturingLogger, type LogLine } from "./captured-log.ts";
import {
  type FakeIdentity,
  fakeAgentStore,
  fakeIdentityProvider,
  fakeMetrics,
  type RecordedMetric,
} from "./fake-services.ts";

export interface TestHostOptions {
  /** What the identity provider answers; without it, UNAVAILABLE. */
  readonly identity?: FakeIdentity;
  /** SPIFFE IDs of agents that have attested. */
  readonly agents?: readonly string[];
  /** Further services for the plugin, or others in the place of those played here. */
  readonly hostServices?: readonly ServiceRegistration[];
  /** Each line of the log as it comes, besides being kept. */
  readonly onLog?: (line: LogLine) => void;
}

export interface StartOptions {
  readonly type: PluginType;
  /** `plugin_args`. */
  readonly args?: readonly string[];
  /** Hex SHA-256, as `plugin_checksum`. */
  readonly checksum?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** A plugin as a process of its own, initialised. */
export interface ProcessPlugin extends BackgroundPlugin {
  readonly pid: number;
  readonly exited: Promise<PluginExit>;
  ping(options?: CallOptions): Promise<void>;
  /** SIGKILL, as by the kernel when memory runs out. */
  kill(): Promise<PluginExit>;
}

export interface TestHost {
  /** All lines of the log so far, of every plugin. */
  readonly log: readonly LogLine[];
  /** All metrics so far. */
  readonly metrics: readonly RecordedMetric[];
  /** Agents that have attested; a test may add some. */
  readonly agents: Set<string>;
  identity: FakeIdentity | undefined;
  /** Resolves to the first metric of that name, now or later. Metrics travel behind the calls that made them. */
  metric(name: string): Promise<RecordedMetric>;
  /** Serves a plugin in this process, over a real socket. */
  load(implementation: PluginImplementation | LoadPlugin): Promise<BackgroundPlugin>;
  /** Starts an executable as SPIRE does. @throws GoPluginError */
  start(executable: string, options: StartOptions): Promise<ProcessPlugin>;
  /** Ends every plugin that is still there. */
  stop(): Promise<void>;
}

/**
 * A host for tests.
 *
 * @example const host = createTestHost(); const plugin = await host.load({ services: [workloadAttestor(handlers)] });
 */
export function createTestHost(options: TestHostOptions = {}): TestHost {
  return new FakeHost(options);
}

class FakeHost implements TestHost {
  readonly log: LogLine[] = [];
  readonly metrics: RecordedMetric[] = [];
  readonly agents: Set<string>;
  identity: FakeIdentity | undefined;
  readonly #services: readonly ServiceRegistration[];
  readonly #onLog: ((line: LogLine) => void) | undefined;
  readonly #waiting = new Set<() => void>();
  readonly #plugins = new Set<BackgroundPlugin>();

  constructor({ identity, agents = [], hostServices = [], onLog }: TestHostOptions) {
    this.identity = identity;
    this.agents = new Set(agents);
    this.#onLog = onLog;
    const given = new Set(hostServices.map(({ service }) => service.typeName));
    const played = [
      fakeMetrics((metric) => this.#keepMetric(metric)),
      fakeIdentityProvider(() => this.identity),
      fakeAgentStore(this.agents),
    ];
    this.#services = [...played.filter(({ service }) => !given.has(service.typeName)), ...hostServices];
  }

  async metric(name: string): Promise<RecordedMetric> {
    for (;;) {
      const found = this.metrics.find((metric) => metric.name === name);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  async load(implementation: PluginImplementation | LoadPlugin): Promise<BackgroundPlugin> {
    const log = capturingLogger((line) => this.#keepLine(line));
    return this.#own(await serveInBackground(implementation, { hostServices: this.#services, log }));
  }

  async start(executable: string, { type, args, checksum, env }: StartOptions): Promise<ProcessPlugin> {
    const host = await startPlugin({
      command: executable,
      cookie: { key: type, value: type },
      hostServices: this.#services,
      onLog: ({ level, message, module, fields }) => this.#keepLine({ level, message, module, fields }),
      ...(args === undefined ? {} : { args }),
      ...(checksum === undefined ? {} : { checksum }),
      ...(env === undefined ? {} : { env }),
    });
    const hostServiceNames = this.#services.map(({ service }) => service.typeName);
    try {
      const { pluginServiceNames } = await host.client(Init).init({ hostServiceNames });
      return this.#own({
        ...basics((service) => host.client(service), pluginServiceNames),
        pid: host.pid,
        exited: host.exited,
        ping: (callOptions) => host.ping(callOptions),
        kill: () => host.kill(),
        async stop() {
          await host
            .client(Init)
            .deinit({})
            .catch(() => undefined);
          await host.shutdown();
        },
      });
    } catch (error) {
      await host.kill();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#plugins].map((plugin) => plugin.stop()));
  }

  /** What is stopped twice is stopped once. */
  #own<Plugin extends BackgroundPlugin>(plugin: Plugin): Plugin {
    let stopped: Promise<void> | undefined;
    const owned: Plugin = {
      ...plugin,
      stop: () => {
        this.#plugins.delete(owned);
        stopped ??= plugin.stop();
        return stopped;
      },
    };
    this.#plugins.add(owned);
    return owned;
  }

  #keepLine(line: LogLine): void {
    this.log.push(line);
    this.#onLog?.(line);
  }

  #keepMetric(metric: RecordedMetric): void {
    this.metrics.push(metric);
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}

type ClientOf = <Service extends DescService>(service: Service) => ServiceClient<Service>;

function basics(client: ClientOf, serviceNames: readonly string[]): Omit<BackgroundPlugin, "stop"> {
  return {
    serviceNames,
    client,
    async configure(hclConfiguration, trustDomain = "example.org") {
      await client(Config).configure({ coreConfiguration: { trustDomain }, hclConfiguration });
    },
    validate: (hclConfiguration, trustDomain = "example.org") =>
      client(Config).validate({ coreConfiguration: { trustDomain }, hclConfiguration }),
  };
}
