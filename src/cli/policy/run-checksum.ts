/** One run of `spire-aws-kms checksum`: the line of server.conf, and the block that it belongs into. */
import { realpathSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type PrintableObject, type PrintableValue, parseHcl, printHcl } from "../../hcl/index.ts";
import type { Setting } from "../../plugin/settings/plugin-data.ts";
import { readSettings } from "../../plugin/settings/plugin-data.ts";
import { errnoOf } from "../../plugin/settings/setting-files.ts";
import { sha256OfFile } from "../../plugin-sdk/index.ts";
import { ConfigurationError, readKeyManagerBlock } from "../configuration/configuration.ts";
import type { KeyManagerBlock } from "../configuration/server-conf.ts";
import { type ExitCode, exitCodes } from "../output/exit-codes.ts";
import { jsonText } from "../output/json-document.ts";
import type { CommandContext, CommandOutputFlags } from "../output/run-command.ts";
import { printable } from "../output/terminal.ts";

export interface ChecksumFlags extends CommandOutputFlags {
  readonly config?: string;
  readonly expandEnv?: boolean;
  readonly chdir?: string;
}

/** Never printed. */
const secretSettings = new Set(["access_key_id", "secret_access_key", "session_token", "assume_role_external_id"]);

const sample: PrintableObject = { region: "us-east-2", key_identifier_file: "/opt/spire/data/server/aws_kms_id" };

function printableSetting(setting: Setting): PrintableValue {
  if (typeof setting === "string" || typeof setting === "boolean") return setting;
  if (Array.isArray(setting)) return setting.map(printableSetting);
  if ("number" in setting && typeof setting.number === "string")
    return String(Number(setting.number)) === setting.number ? Number(setting.number) : setting.number;
  return Object.fromEntries(Object.entries(setting).map(([name, value]) => [name, printableSetting(value)]));
}

interface Data {
  readonly text: string;
  readonly withheld: readonly string[];
}

/** The block's settings without its secrets. */
function dataText({ pluginData, pluginDataFile }: Pick<KeyManagerBlock, "pluginData" | "pluginDataFile">): Data {
  if (pluginDataFile !== undefined)
    return { text: `plugin_data_file = ${JSON.stringify(pluginDataFile)}\n`, withheld: [] };
  const settings = pluginData === undefined ? {} : (readSettings(pluginData).settings ?? {});
  const withheld = Object.keys(settings).filter((name) => secretSettings.has(name.toLowerCase()));
  const shown = Object.entries(settings).filter(([name]) => !withheld.includes(name));
  const lines = printHcl(Object.fromEntries(shown.map(([name, setting]) => [name, printableSetting(setting)])));
  const comment = withheld.length === 0 ? "" : `# and ${withheld.join(", ")}, as they are\n`;
  return { text: `plugin_data {\n${indented(lines + comment)}}\n`, withheld };
}

const indented = (text: string): string => text.replace(/^(?=.)/gm, "    ");

/** As SPIRE takes it: a relative path starts from its working folder. */
function blockText(name: string, command: string, checksum: string, args: readonly string[], data: Data): string {
  const lines = printHcl({
    plugin_cmd: command,
    plugin_checksum: checksum,
    ...(args.length > 0 ? { plugin_args: args } : {}),
  });
  return `KeyManager ${JSON.stringify(name)} {\n${indented(lines + data.text)}}`;
}

function commandOf(given: string | undefined, block: KeyManagerBlock | undefined): string {
  const named = given ?? block?.pluginCmd;
  if (named !== undefined) return named;
  if (block !== undefined) {
    throw new ConfigurationError([
      `KeyManager "${block.name}": it has no plugin_cmd, so SPIRE runs its built-in plugin, which has no checksum; name this plugin's file`,
    ]);
  }
  // The plugin that was built with this command lies beside it.
  return join(dirname(realpathSync(process.argv[1] ?? ".")), "aws_kms");
}

async function checksumOf(command: string): Promise<string> {
  try {
    return await sha256OfFile(resolve(command));
  } catch (error) {
    throw new ConfigurationError([`plugin_cmd: ${command} cannot be read: ${errnoOf(error)}`]);
  }
}

export async function runChecksum(
  given: string | undefined,
  flags: ChecksumFlags,
  { terminal, env }: CommandContext,
): Promise<ExitCode> {
  const block = flags.config === undefined ? undefined : await readKeyManagerBlock(flags, env);
  const command = commandOf(given, block);
  const checksum = await checksumOf(command);
  const data =
    block === undefined
      ? dataText({ pluginData: parseHcl(printHcl(sample)), pluginDataFile: undefined })
      : dataText(block);
  const name = block?.name ?? (/(^|\/)kms$/.test(command) ? "kms" : "aws_kms");
  const text = blockText(
    name,
    block === undefined ? resolve(command) : command,
    checksum,
    block?.pluginArgs ?? [],
    data,
  );
  const configured = block?.pluginChecksum;
  const isSame = configured === undefined ? undefined : configured.toLowerCase() === checksum;
  if (flags.json) {
    terminal.print(
      jsonText({
        format: "spire-aws-kms/checksum",
        version: 1,
        plugin_cmd: command,
        plugin_checksum: checksum,
        configured,
        same: isSame,
        block: text,
      }),
    );
  } else terminal.print(`plugin_checksum = "${checksum}"\n\n${text}`);
  if (isSame === false) {
    terminal.warn(
      printable(
        `server.conf has plugin_checksum ${JSON.stringify(configured)}: SPIRE Server would not start this file`,
      ),
    );
  }
  return exitCodes.done;
}
