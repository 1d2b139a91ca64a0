/** One run of `spire-aws-kms report`: configuration in, a page out. */
import { resolve } from "node:path";
import type { InventoryOptions } from "../../key-manager/inventory/inventory.ts";
import { defaultCallsPerSecond } from "../../key-manager/inventory/inventory.ts";
import { version } from "../../version.ts";
import { CallCounter } from "../call-counter.ts";
import { type CommandConfiguration, readConfiguration } from "../configuration/configuration.ts";
import type { ConfigurationFlags } from "../configuration/flags.ts";
import { regionsFor } from "../keys/regions.ts";
import { summaryJson, troubleJson } from "../keys/row-json.ts";
import { type ExitCode, exitCodes } from "../output/exit-codes.ts";
import { jsonText } from "../output/json-document.ts";
import { type CommandContext, type CommandOutputFlags, UsageError } from "../output/run-command.ts";
import { printable } from "../output/terminal.ts";
import { doctorReport } from "./doctor-report.ts";
import { findingsOf } from "./findings.ts";
import { readHistory, withRun, writeHistory } from "./history.ts";
import { pageOf } from "./html/page.ts";
import { type Look, lookAtRegions } from "./look.ts";
import { requireFree, writePage } from "./page-file.ts";
import type { ReportData } from "./report-data.ts";
import { counted } from "./words.ts";

export interface ReportFlags extends ConfigurationFlags, CommandOutputFlags {
  readonly html: string;
  readonly history?: string;
  readonly force?: boolean;
  readonly allRegions?: boolean;
  readonly regions?: string;
  readonly nameless?: InventoryOptions["nameless"];
  readonly rate?: number;
  /** False with `--no-doctor`. */
  readonly doctor?: boolean;
}

const defaultStaleAliasMs = 14 * 86_400_000;

const subjectOf = (configuration: CommandConfiguration): string =>
  configuration.plugin === "kms" ? configuration.config.keyPrefix : configuration.trustDomain;

async function historyOf(path: string | undefined, configuration: CommandConfiguration, look?: Look) {
  if (path === undefined) return undefined;
  const before = await readHistory(path, subjectOf(configuration));
  return look === undefined ? before : withRun(before, look.rows, look.summary, look.regions);
}

function dataOf(
  configuration: CommandConfiguration,
  { regions, rows, summary, troubles }: Look,
  { history, doctor }: Pick<ReportData, "history" | "doctor">,
): ReportData {
  const { config } = configuration;
  return {
    regions,
    rows,
    summary,
    troubles,
    trustDomain: subjectOf(configuration),
    plugin: configuration.plugin,
    account: rows.find(({ account }) => account !== undefined)?.account,
    version,
    doctor,
    history,
    staleAliasMs: config.upkeep?.staleAliasThresholdMs ?? defaultStaleAliasMs,
    pendingWindowDays: config.pendingWindowInDays,
  };
}

function told(data: ReportData, file: string, page: string, calls: CallCounter): string {
  return jsonText({
    format: "spire-aws-kms/report",
    version: 1,
    plugin: data.plugin,
    trust_domain: data.trustDomain,
    regions: data.regions,
    file,
    bytes: Buffer.byteLength(page),
    summary: summaryJson(data.summary),
    findings: findingsOf(data),
    doctor: data.doctor && { findings: data.doctor.findings, not_looked_at: data.doctor.unchecked },
    troubles: data.troubles.map(troubleJson),
    aws_calls: { total: calls.total, by_operation: calls.byOperation },
  });
}

export async function runReport(flags: ReportFlags, context: CommandContext): Promise<ExitCode> {
  const { terminal } = context;
  const isStdout = flags.html === "-";
  if (isStdout && flags.json) throw new UsageError("--html - and --json both print to stdout; name a file");
  // From where the command is called: --chdir is about SPIRE Server's own paths.
  const file = isStdout ? "-" : resolve(flags.html);
  const historyFile = flags.history === undefined ? undefined : resolve(flags.history);
  const configuration = await readConfiguration(flags, context.env);
  for (const warning of configuration.warnings) terminal.warn(printable(warning));
  // Everything that can be wrong with the files is told before AWS is asked.
  if (!isStdout) await requireFree(file, flags.force === true);
  await historyOf(historyFile, configuration);
  const calls = new CallCounter();
  const { nameless, rate, verbose, json } = flags;
  const regions = regionsFor(flags, configuration.config.region);
  const look = await lookAtRegions(configuration, { regions, calls, nameless, rate }, context);
  const history = await historyOf(historyFile, configuration, look);
  const doctor =
    flags.doctor === false ? undefined : await doctorReport(configuration, { flags, look, calls, context });
  const data = dataOf(configuration, look, { history, doctor });
  const page = pageOf(data);
  if (isStdout) terminal.print(page.trimEnd());
  else await writePage(file, page);
  if (historyFile !== undefined && history !== undefined) await writeHistory(historyFile, history);
  if (json) terminal.print(told(data, file, page, calls));
  else if (!isStdout) {
    const size = `${Math.ceil(Buffer.byteLength(page) / 1024)} kB`;
    const { keys, servers } = data.summary;
    terminal.print(printable(`${file}: ${counted(keys, "key")} of ${counted(servers, "server")}, ${size}`));
  }
  if (verbose) terminal.note(`${calls.text}; never more than ${rate ?? defaultCallsPerSecond} a second`);
  return look.troubles.length === 0 ? exitCodes.done : exitCodes.incomplete;
}
