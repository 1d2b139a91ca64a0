/** `spire-aws-kms prune`: what the plugin's scans would do, and the same at once. */
import { Command } from "commander";
import { withConfigurationFlags } from "../configuration/flags.ts";
import { runCommand } from "../output/run-command.ts";
import type { PruneFlags } from "../prune/run-prune.ts";

const description = `Schedule for deletion what the plugin's own scans would: stale keys of servers that run no more, and orphans.

By the same rules, with the same two looks: what is found is shown, and after prune_confirm_delay (15m) it is looked at again;
only what is still stale then is scheduled. It asks before that. --dry-run ends after the first look and changes nothing.
A key that is scheduled for deletion can be brought back by cancel-deletion until its waiting period ends.`;

async function action(flags: PruneFlags): Promise<void> {
  await runCommand("prune", flags, async (context) => {
    const { runPrune } = await import("../prune/run-prune.ts");
    return runPrune(flags, context);
  });
}

/** \`spire-aws-kms prune\`. */
export function pruneCommand(): Command {
  return withConfigurationFlags(new Command("prune").description(description))
    .option("--dry-run", "show what would be scheduled for deletion, and change nothing")
    .option("--yes", "do not ask")
    .option("--confirm-delay <duration>", "time until the second look (default: prune_confirm_delay)")
    .option("--json", "print one JSON object")
    .option("--verbose", "tell what is left alone and why, and how many calls were made")
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 1 AWS failed, 2 wrong arguments, 3 refused, 4 done but for what a permission is missing.",
    )
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
    .action(action);
}
