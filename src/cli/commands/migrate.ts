/** `spire-aws-kms migrate`: a server's keys from one naming scheme to another, without a new key. */
import { Command } from "commander";
import { KeyManagerError } from "../../key-manager/errors.ts";
import { type MigrationReport, migrate, planMigration } from "../../key-manager/migration/migration.ts";
import type { Logger } from "../../key-manager/ports.ts";
import { loadAwsClients } from "../aws-clients.ts";
import { type MigrateFlags, type MigrationRequest, readFlags } from "../migrate/migration-flags.ts";
import { reportJson, reportText, stepText } from "../migrate/migration-text.ts";
import { systemClock } from "../system-clock.ts";

/** Documented in docs/migration.md. */
const exitCodes = { done: 0, failed: 1, usage: 2, refused: 3 } as const;

const name = "spire-aws-kms migrate";

/** What the keys' discovery has to say; facts about aliases are in the report. */
const log: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (message, fields) =>
    console.error(`warning: ${message}${fields === undefined ? "" : ` ${JSON.stringify(fields)}`}`),
};

function tellProblems(problems: readonly string[]): void {
  for (const problem of problems) console.error(`${name}: ${problem}`);
  console.error(`hint: ${name} --help explains the flags`);
  process.exitCode = exitCodes.usage;
}

/** What to do next, by how things stand. */
function hintsFor({ phase, to }: MigrationRequest, report: MigrationReport): readonly string[] {
  const identity = to.plugin === "aws_kms" ? to.server_id : "";
  if (report.refusals.length > 0)
    return ["nothing was changed by what was refused; mend it and run the same command again"];
  switch (phase) {
    case undefined:
      if (!report.isVerified) return ["nothing was changed; --apply takes these steps, --back undoes them"];
      return report.standings.some(({ kind }) => kind === "both" || kind === "rotated-new")
        ? [
            `run SPIRE Server with aws_kms and server id ${identity}; then --finish removes the old aliases, --back the new ones`,
          ]
        : ["nothing is left to be done"];
    case "apply":
      return [`stop SPIRE Server, run it with aws_kms and server id ${identity}, then --finish; --back goes back`];
    case "finish":
      return ["the migration is finished"];
    case "back":
      return ["the new aliases are gone; SPIRE Server goes on as before"];
  }
}

function deadlineWarning(
  { phase }: MigrationRequest,
  { refreshBefore, standings }: MigrationReport,
): readonly string[] {
  if (refreshBefore === undefined || phase === "finish" || phase === "back") return [];
  if (standings.every(({ kind }) => kind === "old" || kind === "new")) return [];
  return [
    `until ${refreshBefore.toISOString()} aliases have to be refreshed, by the server that runs with them or by --apply: after that SPIRE's built-in aws_kms deletes them with their keys, on any server of the trust domain`,
  ];
}

async function run(request: MigrationRequest, flags: MigrateFlags): Promise<void> {
  const { names, client, phase } = request;
  const print = (step: Parameters<typeof stepText>[0]) => console.log(stepText(step, true));
  const clients = await loadAwsClients(client);
  const context = { kms: clients.kms, names, clock: systemClock, log, ...(flags.json ? {} : { onTaken: print }) };
  try {
    const report = phase === undefined ? await planMigration(context) : await migrate(phase, context);
    console.log(flags.json ? JSON.stringify(reportJson(report, request), undefined, 2) : reportText(report, request));
    for (const refusal of report.refusals) console.error(`${name}: ${refusal}`);
    for (const warning of [...report.warnings, ...deadlineWarning(request, report)])
      console.error(`warning: ${warning}`);
    for (const hint of hintsFor(request, report)) console.error(`hint: ${hint}`);
    process.exitCode = report.refusals.length > 0 ? exitCodes.refused : exitCodes.done;
  } finally {
    clients.close();
  }
}

async function command(flags: MigrateFlags): Promise<void> {
  const request = await readFlags(flags, process.env);
  if (!("names" in request)) return tellProblems(request);
  try {
    await run(request, flags);
  } catch (error) {
    if (!(error instanceof KeyManagerError)) throw error;
    console.error(`${name}: ${error.message}`);
    console.error("hint: what was done stays done; run the same command again to go on from there");
    process.exitCode = error.code === "FailedPrecondition" ? exitCodes.refused : exitCodes.failed;
  }
}

const description = `Bring a server's keys under other names, without a new key and without a pause in signing.

From the kms plugin (--from-prefix) or from another server id of aws_kms (--from-server-id), to a server id of aws_kms.
Without --apply, --finish or --back the plan is shown and nothing is changed. Only aliases are changed, never keys.
Any of it can be stopped at any moment and run again. Credentials come from the AWS SDK's default chain.`;

/** \`spire-aws-kms migrate\`. */
export function migrateCommand(): Command {
  return new Command("migrate")
    .description(description)
    .option("--from-prefix <prefix>", "key_prefix of the kms plugin; its default is SPIRE_SERVER_KEY/")
    .option("--from-server-id <id>", "server id that the keys are named after so far")
    .option("--trust-domain <name>", "the server's trust domain")
    .option("--to-server-id <id>", "key_identifier_value of aws_kms")
    .option("--to-identifier-file <file>", "key_identifier_file of aws_kms, with the server id in it")
    .option("--region <code>", "AWS Region of the keys (default: AWS_REGION)")
    .option("--endpoint <url>", "URL of KMS, for a VPC endpoint or an emulator")
    .option("--apply", "add the new aliases, and verify that aws_kms finds every key")
    .option("--finish", "verify again, then remove the old aliases")
    .option("--back", "remove the new aliases again, as long as old ones stand")
    .option("--json", "print one JSON object instead of text")
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 1 AWS failed, 2 wrong arguments, 3 refused; docs/migration.md tells more.",
    )
    .exitOverride((error) => process.exit(error.exitCode === 0 ? exitCodes.done : exitCodes.usage))
    .action(command);
}
