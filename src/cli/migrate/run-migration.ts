/** One run of `spire-aws-kms migrate`: flags in, words and an exit code out. */
import { KeyManagerError } from "../../key-manager/errors.ts";
import { type MigrationReport, migrate, planMigration } from "../../key-manager/migration/migration.ts";
import type { Step } from "../../key-manager/migration/steps.ts";
import type { Logger } from "../../key-manager/ports.ts";
import { createClients } from "../aws-clients.ts";
import { ConfigurationError } from "../configuration/configuration.ts";
import { type ExitCode, exitCodes } from "../output/exit-codes.ts";
import { safeJson } from "../output/json-document.ts";
import { endOnBrokenPipe } from "../output/run-command.ts";
import { printable } from "../output/terminal.ts";
import { systemClock } from "../system-clock.ts";
import { type MigrateFlags, type MigrationRequest, readFlags } from "./migration-flags.ts";
import { reportJson, reportText, stepText } from "./migration-text.ts";

const name = "spire-aws-kms migrate";

/** Aliases and AWS's words come from outside. */
const tellBeside = (text: string): void => console.error(printable(text));

/** What the keys' discovery has to say; facts about aliases are in the report. */
const log: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (message, fields) =>
    tellBeside(`warning: ${message}${fields === undefined ? "" : ` ${JSON.stringify(fields)}`}`),
};

function tellProblems(problems: readonly string[]): ExitCode {
  for (const problem of problems) tellBeside(`${name}: ${problem}`);
  tellBeside(`hint: ${name} --help explains the flags`);
  return exitCodes.usage;
}

/** What to do next, by how things stand. */
function hintsFor({ phase, to }: MigrationRequest, report: MigrationReport): readonly string[] {
  const identity = to.plugin === "aws_kms" ? to.server_id : "";
  if (report.refusals.length > 0)
    return ["nothing was changed by what was refused; correct it and run the same command again"];
  switch (phase) {
    case undefined:
      if (!report.isVerified) return ["nothing was changed; --apply takes these steps, --back undoes them"];
      return report.comparedKeys.some(({ kind }) => kind === "both" || kind === "rotated-new")
        ? [
            `run SPIRE Server with aws_kms and server id ${identity}; then --finish removes the old aliases, --back the new ones`,
          ]
        : ["nothing is left to be done"];
    case "apply":
      return [`stop SPIRE Server, run it with aws_kms and server id ${identity}, then --finish; --back goes back`];
    case "finish":
      return ["the migration is finished"];
    case "back":
      return ["the new aliases are removed; SPIRE Server goes on as before"];
  }
}

function deadlineWarning(
  { phase }: MigrationRequest,
  { refreshBefore, comparedKeys }: MigrationReport,
): readonly string[] {
  if (refreshBefore === undefined || phase === "finish" || phase === "back") return [];
  if (comparedKeys.every(({ kind }) => kind === "old" || kind === "new")) return [];
  return [
    `until ${refreshBefore.toISOString()} aliases have to be refreshed, by the server that runs with them or by --apply: after that SPIRE's built-in aws_kms deletes them with their keys, on any server of the trust domain`,
  ];
}

function tell(report: MigrationReport, request: MigrationRequest, json: boolean): ExitCode {
  console.log(
    json ? safeJson(JSON.stringify(reportJson(report, request), undefined, 2)) : printable(reportText(report, request)),
  );
  for (const refusal of report.refusals) tellBeside(`${name}: ${refusal}`);
  for (const warning of [...report.warnings, ...deadlineWarning(request, report)]) tellBeside(`warning: ${warning}`);
  for (const hint of hintsFor(request, report)) tellBeside(`hint: ${hint}`);
  return report.refusals.length > 0 ? exitCodes.refused : exitCodes.done;
}

async function run(request: MigrationRequest, json: boolean): Promise<ExitCode> {
  const { names, client, phase } = request;
  const clients = createClients(client);
  const onTaken = json ? undefined : (step: Step) => console.log(printable(stepText(step, true)));
  const context = { kms: clients.kms, names, clock: systemClock, log, ...(onTaken === undefined ? {} : { onTaken }) };
  try {
    return tell(phase === undefined ? await planMigration(context) : await migrate(phase, context), request, json);
  } finally {
    clients.close();
  }
}

export async function runMigration(flags: MigrateFlags): Promise<ExitCode> {
  endOnBrokenPipe("migrate");
  const request = await readFlags(flags, process.env);
  if (!("names" in request)) return tellProblems(request);
  try {
    return await run(request, flags.json ?? false);
  } catch (error) {
    if (error instanceof ConfigurationError) return tellProblems(error.problems);
    if (!(error instanceof KeyManagerError)) throw error;
    tellBeside(`${name}: ${error.message}`);
    tellBeside("hint: what was done stays done; run the same command again to go on from there");
    return error.code === "FAILED_PRECONDITION" ? exitCodes.refused : exitCodes.failed;
  }
}
