/** A KeyManager plugin put together: configuration, key manager, AWS, SPIRE's services. Loaded after the handshake. */

import { hostname } from "node:os";
import type { KeyManagerConfig } from "../key-manager/config.ts";
import { KeyManager } from "../key-manager/key-manager.ts";
import type { Clock, Logger } from "../key-manager/ports.ts";
import { type Prepare, PreparedInVain } from "../key-manager/setup.ts";
import { type LoadPlugin, StatusError } from "../plugin-sdk/index.ts";
import { version } from "../version.ts";
import { PluginMetrics } from "./metrics.ts";
import { MetricsServer } from "./metrics-server.ts";
import { keyManagerService } from "./service.ts";
import type { PluginData } from "./settings/plugin-data.ts";
import { readPluginData } from "./settings/plugin-data.ts";
import { toldProblems } from "./settings/problems.ts";
import type { ConfigResult } from "./settings/shared.ts";
import { withStatus } from "./status.ts";
import { systemClock } from "./system-clock.ts";

/** What makes one plugin different from another: its settings, and what they mean for names and policy. */
export interface KeyManagerPlugin<C extends KeyManagerConfig> {
  /** As in SPIRE's configuration; first part of metric names. */
  readonly name: string;
  readonly parse: (trustDomain: string, pluginData: PluginData) => ConfigResult<C>;
  /** Problems with files that the configuration names; for Validate. */
  readonly fileProblems?: (config: C) => Promise<readonly string[]>;
  /** Called once a process. */
  readonly preparation: (options: { readonly clock: Clock; readonly log: Logger }) => Prepare<C>;
}

/** SPIRE waits 10 s for Deinit and 2 s for a shutdown; a deletion that does not make it is found again later. */
const flushMs = 1_000;

/** SPIRE's sink forgets a gauge that it has not been told of for a minute. */
const gaugesEveryMs = 10_000;

/** SPIRE shows a status message on one line. */
const oneLine = (problems: readonly string[]) => `invalid configuration: ${toldProblems(problems).join("; ")}`;

export function loadKeyManager<C extends KeyManagerConfig>(plugin: KeyManagerPlugin<C>): LoadPlugin {
  const { name, parse, preparation, fileProblems = async () => [] } = plugin;
  return ({ log }) => {
    let isFastPathOn = true;
    const awsModule = import("../aws/clients.ts");
    const metrics = new PluginMetrics(name, () => keyManager.gauges);
    const metricsServer = new MetricsServer(() => metrics.prometheusText());
    const keyManager = new KeyManager<C>({
      clock: systemClock,
      log,
      telemetry: metrics,
      processName: `${hostname()}, process ${process.pid}`,
      prepare: preparation({ clock: systemClock, log }),
      createClients: async (config) =>
        (await awsModule).createAwsClients(config, systemClock, ["spire-aws-kms", version], {
          telemetry: metrics,
          log,
        }),
    });
    return {
      services: [
        keyManagerService(keyManager, {
          onGenerated: () => metrics.pushGauges(),
          isFastPathOn: () => isFastPathOn,
        }),
      ],
      config: {
        async validate(hcl, { trustDomain }) {
          const { config, problems, warnings } = parse(trustDomain, readPluginData(hcl));
          const found = config === undefined ? problems : await fileProblems(config);
          // SPIRE calls a configuration invalid that has any note.
          for (const warning of warnings) log.warn(warning);
          return { valid: found.length === 0, notes: toldProblems(found) };
        },
        async configure(hcl, { trustDomain }, { signal }) {
          const { config, problems, warnings } = parse(trustDomain, readPluginData(hcl));
          if (config === undefined) throw new StatusError("INVALID_ARGUMENT", oneLine(problems));
          for (const warning of warnings) log.warn(warning);
          const configure = () => keyManager.configure(config, signal);
          const takeEffect = () =>
            configure().catch((error: unknown) =>
              error instanceof PreparedInVain ? configure() : Promise.reject(error),
            );
          await withStatus(() => metricsServer.moveWhile(config.metricsListen, takeEffect), signal);
          isFastPathOn = config.grpcFastPath;
          metrics.pushGauges();
          log.info("Configured", { region: config.region, keys: keyManager.entries.size });
        },
      },
      onInit({ metrics: host }) {
        metrics.attach(host);
        void metrics.keepPushing(systemClock, gaugesEveryMs);
      },
      deinit: () => keyManager.close(AbortSignal.timeout(flushMs)),
    };
  };
}
