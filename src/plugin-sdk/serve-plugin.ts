/** A SPIRE plugin's whole program: `servePlugin`, and what it answers to a person who starts it by hand. */
import { writeSync } from "node:fs";
import path from "node:path";
import type { LogLevel } from "../go-plugin/hclog/logger.ts";
import { serve } from "../go-plugin/plugin/serve.ts";
import type { LoadPlugin, PluginImplementation, PluginType } from "./plugin-definition.ts";
import type { SpirePlugin } from "./spire-plugin.ts";

/** Who the plugin is. */
export interface PluginIdentity {
  /** SPIRE's plugin type, such as `KeyManager`; also the magic cookie's key and value. */
  readonly type: PluginType | (string & Record<never, never>);
  /** The plugin's name in SPIRE's configuration, such as `aws_kms`. */
  readonly name: string;
  readonly version: string;
  /** What `--help` says of the plugin: one or more lines of text. */
  readonly description: string;
  /** The least level written to the log; default `trace`, since SPIRE filters by its own level. */
  readonly logLevel?: LogLevel;
}

export type ServePluginOptions = PluginIdentity & (PluginImplementation | { readonly load: LoadPlugin });

/**
 * Makes this process a SPIRE plugin. Call it first thing: it answers `--help` and `--version`, refuses to run without
 * SPIRE, and from then on stdout and stderr belong to the protocol. Resolves when the plugin serves; the process ends
 * when SPIRE ends it, when SPIRE itself has ended, or when SIGTERM comes.
 *
 * Give `load` instead of `services` to import what is heavy after the handshake.
 */
export async function servePlugin(options: ServePluginOptions): Promise<void> {
  answerPerson(options, process.argv[2]);
  let plugin: SpirePlugin | undefined;
  await serve({
    cookie: { key: options.type, value: options.type },
    name: options.name,
    ...(options.logLevel === undefined ? {} : { logLevel: options.logLevel }),
    refusal: refusalText(options),
    async services(context) {
      const { createSpirePlugin } = await import("./spire-plugin.ts");
      plugin = createSpirePlugin("load" in options ? options.load : options, options.type);
      return plugin.services(context);
    },
    onStop: () => plugin?.deinit(),
  });
}

/** `--help` and `--version` print to stdout and end the process. Any other argument is left to the plugin. */
function answerPerson(identity: PluginIdentity, argument: string | undefined): void {
  const answers: Record<string, () => string> = {
    "--help": () => helpText(identity),
    "-h": () => helpText(identity),
    "--version": () => `${identity.name} ${identity.version}`,
  };
  const answer = argument !== undefined && Object.hasOwn(answers, argument) ? answers[argument] : undefined;
  if (answer === undefined) return;
  writeSync(1, `${answer()}\n`);
  process.exit(0);
}

function helpText({ name, version, type, description }: PluginIdentity): string {
  const file = path.resolve(process.argv[1] ?? name);
  return `${name} ${version}, a SPIRE ${type} plugin

${description.trim()}

SPIRE starts this program; it does nothing by itself. In SPIRE's configuration file:

  plugins {
    ${type} "${name}" {
      plugin_cmd = "${file}"
      plugin_checksum = "<sha256sum of that file>"
      plugin_data { ... }
    }
  }

  --help       print this and exit
  --version    print the version and exit`;
}

function refusalText({ name, version, type }: PluginIdentity): string {
  return (
    `${name} ${version} is a SPIRE ${type} plugin: SPIRE starts it and speaks to it over a socket, so there is nothing to run by hand.\n` +
    `hint: name this file as plugin_cmd in SPIRE's configuration; --help shows how, --version prints the version`
  );
}
