/** The command `spire-plugin-sdk`: a project to begin with, one executable file of it, a look at that as SPIRE would. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { isPluginType, pluginTypes } from "../kinds/plugin-types.ts";
import type { PluginType } from "../plugin-definition.ts";
import { checkPlugin } from "../testing/check-plugin.ts";
import { formatReport } from "../testing/check-report.ts";
import { buildExecutable } from "./build-executable.ts";
import { createProject } from "./create-project.ts";
import { buildStandalone } from "./standalone.ts";
import { kindNames } from "./templates/kinds.ts";

/** What a person has done wrong: told without a stack. */
class UsageError extends Error {}

const usage = `spire-plugin-sdk create KIND FOLDER [--sdk SPEC]
    makes a project: a plugin that works, tests, a build.
    KIND: ${kindNames.join(", ")}
    --sdk: the version, or the tarball, of spire-plugin-sdk that it depends on; default this one's version

spire-plugin-sdk bundle ENTRY --out FILE [--type TYPE] [--name NAME]
    makes one executable file of a plugin, FILE.sha256, and with a type FILE.conf, the block for SPIRE's configuration;
    needs esbuild in the project

spire-plugin-sdk standalone ENTRY --out FILE [--type TYPE] [--name NAME]
    the same with the Node.js that runs this command inside; needs esbuild and postject in the project

spire-plugin-sdk check FILE [--type TYPE] [--data HCL-FILE] [--json]
    starts a plugin as SPIRE does, and says what SPIRE would; code 1 if it would not go well
    TYPE: ${pluginTypes.join(", ")}
`;

const print = (text: string): void => void process.stdout.write(`${text}\n`);

const options = {
  sdk: { type: "string" },
  out: { type: "string" },
  type: { type: "string" },
  name: { type: "string" },
  data: { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>["values"];

const commands: Readonly<Record<string, (arguments_: readonly string[], values: Values) => Promise<number>>> = {
  async create([kind, folder], { sdk }) {
    if (kind === undefined || folder === undefined) throw new UsageError("create needs a KIND and a FOLDER");
    print(createProject({ kind, folder, sdk }));
    return 0;
  },
  async bundle([entry], values) {
    print(await buildExecutable(targetOf("bundle", entry, values)));
    return 0;
  },
  async standalone([entry], values) {
    print(await buildStandalone(targetOf("standalone", entry, values)));
    return 0;
  },
  async check([file], { type, data, json, name }) {
    if (file === undefined) throw new UsageError("check needs a FILE");
    const report = await checkPlugin(file, {
      ...(type === undefined ? {} : { type: typeOf(type) }),
      ...(data === undefined ? {} : { pluginData: readFileSync(data, "utf8") }),
    });
    print(json === true ? JSON.stringify(report, undefined, 2) : formatReport(report, name ?? path.basename(file)));
    return report.isFit ? 0 : 1;
  },
};

function targetOf(command: string, entry: string | undefined, { out, type, name }: Values) {
  if (entry === undefined || out === undefined) throw new UsageError(`${command} needs an ENTRY and --out FILE`);
  return { entry, out, name, type: type === undefined ? undefined : typeOf(type) };
}

function typeOf(type: string): PluginType {
  if (isPluginType(type)) return type;
  throw new UsageError(`"${type}" is none of SPIRE's types: ${pluginTypes.join(", ")}`);
}

async function run(): Promise<number> {
  const { positionals, values } = parseArgs({ options, allowPositionals: true });
  const [name = "", ...rest] = positionals;
  if (values.help === true || name === "help") {
    print(usage);
    return 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined)
    throw new UsageError(name === "" ? "a command is needed" : `there is no command "${name}"`);
  return command(rest, values);
}

try {
  process.exitCode = await run();
} catch (error) {
  const { message, code } = error as Error & { code?: string };
  const isUsage = error instanceof UsageError || code?.startsWith("ERR_PARSE_ARGS") === true;
  process.stderr.write(`spire-plugin-sdk: ${message}\n${isUsage ? `\n${usage}` : ""}`);
  process.exitCode = isUsage ? 2 : 1;
}
