/** As much of SPIRE Server as it takes to start a KeyManager plugin from a configuration file. */
import { attributes, type HclObject, parseHcl, printHcl, toPlainObject } from "../../hcl/index.ts";
import {
  Config,
  Init,
  KeyManager,
  MetricsService,
  type PluginHost,
  sha256OfFile,
  startPlugin,
} from "../../plugin-sdk/index.ts";

/** The sample of the plugin's documentation, as it stands. */
export const sampleConfiguration = `KeyManager "aws_kms" {
    plugin_data {
        region = "us-east-2"
        key_identifier_file = "./aws_kms_id"
    }
}
`;

export interface ServerOptions {
  /** Absolute path of the plugin's executable. */
  readonly pluginCommand: string;
  /** SPIRE Server's working folder, which relative paths of the configuration start from. */
  readonly folder: string;
  readonly trustDomain: string;
  readonly configuration: string;
  /** Added to this process's own; undefined removes a variable. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly onLogLine?: (line: string) => void;
}

export interface SpireServer {
  readonly checksum: string;
  readonly plugin: PluginHost;
  readonly keyManager: KeyManagerClient;
}

type KeyManagerClient = ReturnType<typeof keyManagerOf>;
const keyManagerOf = (plugin: PluginHost) => plugin.client(KeyManager);

/** SPIRE prints the block again and hands that text to the plugin. */
function pluginDataText(configuration: string): string {
  const objects = (object: HclObject, name: string): HclObject[] =>
    (attributes(object).get(name) ?? []).filter((value) => value.kind === "object");
  const [keyManagers] = objects(parseHcl(configuration), "KeyManager");
  const [block] = keyManagers === undefined ? [] : objects(keyManagers, "aws_kms");
  const [data] = block === undefined ? [] : objects(block, "plugin_data");
  if (data === undefined) throw new Error('the configuration has no KeyManager "aws_kms" block with plugin_data');
  return printHcl(toPlainObject(data));
}

/** Starts the plugin as SPIRE does: checksum, environment, Init, Configure. */
export async function startServer(options: ServerOptions): Promise<SpireServer> {
  const { pluginCommand, folder, trustDomain, configuration, env, onLogLine } = options;
  const checksum = await sha256OfFile(pluginCommand);
  const plugin = await startPlugin({
    command: pluginCommand,
    checksum,
    cookie: { key: "KeyManager", value: "KeyManager" },
    cwd: folder,
    env,
    ...(onLogLine === undefined ? {} : { onStderrLine: onLogLine }),
  });
  try {
    await plugin.client(Init).init({ hostServiceNames: [MetricsService.typeName] });
    await plugin.client(Config).configure({
      coreConfiguration: { trustDomain },
      hclConfiguration: pluginDataText(configuration),
    });
    return { checksum, plugin, keyManager: keyManagerOf(plugin) };
  } catch (error) {
    await plugin.kill();
    throw error;
  }
}
