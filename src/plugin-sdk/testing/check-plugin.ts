/** Whether an executable is a plugin as SPIRE wants it: everything that can be seen from outside, step by step. */
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import path from "node:path";
import { GoPluginError } from "../../go-plugin/errors.ts";
import { parseHclogLine } from "../../go-plugin/hclog/hclog-line.ts";
import { sha256OfFile } from "../../go-plugin/host/file-checksum.ts";
import { type PluginHost, startPlugin } from "../../go-plugin/host/start-plugin.ts";
import { isPluginType, pluginTypes } from "../kinds/plugin-types.ts";
import type { PluginType } from "../plugin-definition.ts";
import type { CheckReport, Finding } from "./check-report.ts";
import { type CheckedCalls, callChecks, endChecks } from "./check-steps.ts";
import { fakeAgentStore, fakeIdentityProvider, fakeMetrics } from "./fake-services.ts";

export interface CheckPluginOptions {
  /** Default: the first type under which the plugin starts. */
  readonly type?: PluginType;
  /** The text of `plugin_data`; without it Configure is asked with an empty one, and may refuse. */
  readonly pluginData?: string;
  /** `plugin_args`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Default `example.org`. */
  readonly trustDomain?: string;
  /** How long the plugin may take to its handshake; default one minute, as SPIRE's. */
  readonly startTimeoutMs?: number;
}

/**
 * Starts a plugin as SPIRE does and looks at it from handshake to shutdown. The plugin is asked to configure itself, and no
 * call of its own kind is made. Works for plugins in any language; {@link formatReport} prints the result.
 */
export async function checkPlugin(executable: string, options: CheckPluginOptions = {}): Promise<CheckReport> {
  const file = path.resolve(executable);
  const findings: Finding[] = [];
  const report = (type?: PluginType, checksum?: string): CheckReport => ({
    file,
    checksum,
    type,
    findings,
    isFit: findings.every(({ verdict }) => verdict !== "fault"),
  });

  const unfit = await fileProblem(file);
  if (unfit !== undefined) {
    findings.push(unfit);
    return report();
  }
  const checksum = await sha256OfFile(file);
  const started = await start(file, checksum, options);
  if ("finding" in started) {
    findings.push(started.finding);
    return report(options.type, checksum);
  }
  const { host, type, stderr, tookMs } = started;
  const { network, address } = host.handshake;
  findings.push({ step: "handshake", verdict: "good", text: `${network} ${address}, after ${tookMs} ms` });
  try {
    const { pluginData, trustDomain = "example.org" } = options;
    const checked: CheckedCalls = { host, type, pluginData, trustDomain };
    for (const step of callChecks) findings.push(...(await step(checked)));
    findings.push(logFinding(stderr));
    for (const step of endChecks) findings.push(...(await step(checked)));
  } finally {
    await host.kill();
  }
  return report(type, checksum);
}

async function fileProblem(file: string): Promise<Finding | undefined> {
  const spire = `SPIRE ends at its start: failed to launch plugin: fork/exec ${file}: `;
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) {
    return { step: "file", verdict: "fault", text: "it is not there", spire: `${spire}no such file or directory` };
  }
  const isExecutable = await access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
  if (found.isFile() && isExecutable) return undefined;
  const text = found.isFile() ? "it is not executable; chmod +x makes it so" : "it is no file";
  return { step: "file", verdict: "fault", text, spire: `${spire}permission denied` };
}

type Started =
  | {
      readonly host: PluginHost;
      readonly type: PluginType;
      /** Grows. */
      readonly stderr: readonly string[];
      readonly tookMs: number;
    }
  | { readonly finding: Finding };

/** Under a wrong magic cookie a plugin ends at once, so that the types can be tried. */
async function start(file: string, checksum: string, options: CheckPluginOptions): Promise<Started> {
  let problem: unknown;
  for (const type of options.type === undefined ? pluginTypes : [options.type]) {
    if (!isPluginType(type)) return { finding: unknownType(type) };
    const lines: string[] = [];
    const began = Date.now();
    try {
      const host = await startPlugin({
        command: file,
        cookie: { key: type, value: type },
        checksum,
        hostServices: [fakeMetrics(() => undefined), fakeIdentityProvider(() => undefined), fakeAgentStore(new Set())],
        onStderrLine: (line) => lines.push(line),
        ...(options.args === undefined ? {} : { args: options.args }),
        ...(options.env === undefined ? {} : { env: options.env }),
        ...(options.startTimeoutMs === undefined ? {} : { startTimeoutMs: options.startTimeoutMs }),
      });
      return { host, type, stderr: lines, tookMs: Date.now() - began };
    } catch (error) {
      problem = error;
    }
  }
  return { finding: startFinding(problem) };
}

const unknownType = (type: string): Finding => ({
  step: "type",
  verdict: "fault",
  text: `"${type}" is none of SPIRE's types: ${pluginTypes.join(", ")}`,
  spire: "SPIRE ends at its start, and names the type that it does not know",
});

function startFinding(problem: unknown): Finding {
  const text = problem instanceof Error ? problem.message : String(problem);
  const spire =
    problem instanceof GoPluginError && problem.code === "START_TIMEOUT"
      ? "SPIRE ends at its start, after a minute: failed to launch plugin: timeout while waiting for plugin to start"
      : "SPIRE ends at its start: failed to launch plugin: Unrecognized remote plugin message: …, This usually means the plugin was not compiled for this architecture …";
  return { step: "handshake", verdict: "fault", text, spire };
}

function logFinding(lines: readonly string[]): Finding {
  const odd = lines.filter((line) => parseHclogLine(line) === undefined);
  if (odd.length === 0) {
    return { step: "log", verdict: "good", text: `${lines.length} lines on stderr, all in hclog's form` };
  }
  return {
    step: "log",
    verdict: "note",
    text: `${odd.length} of ${lines.length} lines on stderr are not in hclog's form, such as: ${odd[0]?.slice(0, 120)}`,
    spire: "SPIRE logs such a line as it stands, at debug: it is not seen at the usual level",
  };
}
