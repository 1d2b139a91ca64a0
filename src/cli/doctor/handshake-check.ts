/** Starts the plugin as SPIRE Server does, through its handshake, and lets it validate the configuration; nothing is configured. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { promisify } from "node:util";
import { printHcl, toPlainObject } from "../../hcl/index.ts";
import {
  Config,
  GoPluginError,
  GrpcStatusError,
  Init,
  MetricsService,
  type PluginHost,
  startPlugin,
} from "../../plugin-sdk/index.ts";
import type { KeyManagerBlock } from "../configuration/server-conf.ts";
import { systemClock } from "../system-clock.ts";
import type { Findings } from "./finding.ts";

const run = promisify(execFile);
const startTimeoutMs = 60_000;

export interface HandshakeOptions {
  /** A plugin's executable, or SPIRE Server's. */
  readonly path: string | undefined;
  readonly block: KeyManagerBlock | undefined;
  readonly trustDomain: string | undefined;
  readonly confFile: string | undefined;
  readonly expandEnv: boolean;
}

/** SPIRE prints the block again and hands that text to the plugin. */
function dataText({ pluginData, pluginDataFile }: Pick<KeyManagerBlock, "pluginData" | "pluginDataFile">): string {
  if (pluginDataFile !== undefined) return readFileSync(pluginDataFile, "utf8");
  return pluginData === undefined ? "" : printHcl(toPlainObject(pluginData));
}

/** What SPIRE's own validation says, where its binary is at hand. */
async function checkSpire(path: string, { confFile, expandEnv }: HandshakeOptions, findings: Findings): Promise<void> {
  if (confFile === undefined) return;
  try {
    await run(resolve(path), ["validate", "-config", confFile, ...(expandEnv ? ["-expandEnv"] : [])], {
      timeout: startTimeoutMs,
    });
    findings.ok(`${path} validate has no objection`);
  } catch (error) {
    const { stderr = "", stdout = "" } = error as { readonly stderr?: string; readonly stdout?: string };
    const words = `${stderr}${stdout}`.trim().slice(0, 2_000);
    if (words === "")
      findings.unknown(
        `${path} cannot be run: ${(error as Error).message.slice(0, 200)}`,
        "name the spire-server executable, or the plugin's",
      );
    else findings.problem(`${path} validate refuses the configuration: ${words}`, "change what it names");
  }
}

async function validate(
  plugin: PluginHost,
  { block, trustDomain = "example.org" }: HandshakeOptions,
  findings: Findings,
): Promise<void> {
  await plugin.client(Init).init({ hostServiceNames: [MetricsService.typeName] });
  if (block === undefined) return;
  const answer = await plugin
    .client(Config)
    .validate({ coreConfiguration: { trustDomain }, hclConfiguration: dataText(block) });
  if (answer.valid) findings.ok("the plugin finds the configuration valid");
  else findings.problem(`the plugin refuses the configuration: ${answer.notes.join("; ")}`, "change what it names");
}

/** @param options.path undefined: plugin_cmd */
export async function checkHandshake(options: HandshakeOptions, findings: Findings): Promise<void> {
  const { path, block } = options;
  const isSpire = path !== undefined && /^spire-server/.test(basename(path));
  if (isSpire) await checkSpire(path, options, findings);
  const command = isSpire || path === undefined ? block?.pluginCmd : path;
  if (command === undefined) {
    findings.unknown("there is no plugin to start: plugin_cmd is not set", "give its path: --spire-bin PATH");
    return;
  }
  const lines: string[] = [];
  const start = systemClock.elapsedMs();
  let plugin: PluginHost | undefined;
  try {
    plugin = await startPlugin({
      command,
      args: block?.pluginArgs ?? [],
      cookie: { key: "KeyManager", value: "KeyManager" },
      startTimeoutMs,
      onStderrLine: (line) => lines.push(line),
      ...(path === undefined && block?.pluginChecksum !== undefined ? { checksum: block.pluginChecksum } : {}),
    });
    await plugin.ping();
    findings.ok(`${command} starts: handshake after ${Math.round(systemClock.elapsedMs() - start)} ms, and it serves`);
    await validate(plugin, options, findings);
  } catch (error) {
    if (!(error instanceof GoPluginError) && !(error instanceof GrpcStatusError)) throw error;
    const said = lines.length === 0 ? "" : `; it says: ${lines.slice(-3).join(" | ").slice(0, 500)}`;
    findings.problem(
      `${command} does not start as SPIRE Server starts it: ${error.message}${said}`,
      "docs/install.md has what SPIRE's log says in each such case, and why",
    );
  } finally {
    await plugin?.shutdown();
  }
}
