/** `spire-aws-kms promote`: the primary keys of a standby's identity into its Region. */
import { Command } from "commander";
import { withConfigurationFlags } from "../configuration/flags.ts";
import { runCommand } from "../output/run-command.ts";
import type { PromoteFlags } from "../promote/run-promote.ts";

const description = `Make a standby the server that rotates: bring the primary keys of its identity into its Region.

The keys stay what they are; which Region may make new ones changes (UpdatePrimaryRegion, for each key of one server). Run it with the
standby's server.conf, or with --region set to the standby's Region, once the server in the other Region has ended. The plan is
shown first, and nothing is changed before you have agreed. It can be stopped and run again.`;

/** The AWS SDK is loaded only when there is something to do. */
async function action(flags: PromoteFlags): Promise<void> {
  await runCommand("promote", flags, async (context) => {
    const { runPromote } = await import("../promote/run-promote.ts");
    return runPromote(flags, context);
  });
}

/** \`spire-aws-kms promote\`. */
export function promoteCommand(): Command {
  return withConfigurationFlags(new Command("promote").description(description))
    .option("--yes", "promote without asking")
    .option("--json", "print one JSON object instead of text")
    .addHelpText("after", "\nExit codes: 0 done, 1 AWS failed, 2 wrong arguments, 3 refused or not agreed to.")
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
    .action(action);
}
