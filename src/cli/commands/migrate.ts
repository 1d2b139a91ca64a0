/** `spire-aws-kms migrate`: a server's keys from one naming scheme to another, without a new key. */
import { Command } from "commander";
import type { MigrateFlags } from "../migrate/migration-flags.ts";
import { exitCodes } from "../output/exit-codes.ts";

/** The key manager and the AWS SDK are loaded only when there is something to do. */
async function command(flags: MigrateFlags): Promise<void> {
  const { runMigration } = await import("../migrate/run-migration.ts");
  process.exitCode = await runMigration(flags);
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
