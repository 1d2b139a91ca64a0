/** The `aws_kms` plugin put together: configuration, key manager, AWS, SPIRE's services. Loaded after the handshake. */
import { type AwsKmsConfig, type ConfigResult, parseConfig } from "../key-manager/config.ts";
import { fileProblems, prepareAwsKms } from "../key-manager/configuration.ts";
import { ConfiguredKeyManager } from "../key-manager/configured-key-manager.ts";
import { type LoadPlugin, StatusError } from "../plugin-sdk/index.ts";
import { version } from "../version.ts";
import { keyManagerService } from "./key-manager-service.ts";
import { readPluginData } from "./plugin-data.ts";
import { withStatus } from "./status.ts";
import { systemClock } from "./system-clock.ts";

/** SPIRE waits 10 s for Deinit and 2 s for a shutdown; a deletion that does not make it is found by the stale-key scan. */
const flushMs = 1_000;

/** SPIRE shows a status message on one line. */
const oneLine = (problems: readonly string[]) => `invalid configuration: ${problems.join("; ")}`;

function requireConfig({ config, problems }: ConfigResult<AwsKmsConfig>) {
  if (config === undefined) throw new StatusError("INVALID_ARGUMENT", oneLine(problems));
  return config;
}

export const loadAwsKms: LoadPlugin = ({ log }) => {
  const awsModule = import("../aws/clients.ts");
  const keyManager = new ConfiguredKeyManager({
    clock: systemClock,
    log,
    prepare: prepareAwsKms,
    createClients: async (config) =>
      (await awsModule).createAwsClients(config, systemClock, ["spire-aws-kms", version]),
  });
  return {
    services: [keyManagerService(keyManager)],
    config: {
      async validate(hcl, { trustDomain }) {
        const { config, problems, warnings } = parseConfig(trustDomain, readPluginData(hcl));
        const found = config === undefined ? problems : await fileProblems(config);
        return { valid: found.length === 0, notes: [...found, ...warnings] };
      },
      async configure(hcl, { trustDomain }, { signal }) {
        const result = parseConfig(trustDomain, readPluginData(hcl));
        const config = requireConfig(result);
        for (const warning of result.warnings) log.warn(warning);
        await withStatus(() => keyManager.configure(config, signal));
        log.info("Configured", { region: config.region, keys: keyManager.current.entries.size });
      },
    },
    deinit: () => keyManager.close(AbortSignal.timeout(flushMs)),
  };
};
