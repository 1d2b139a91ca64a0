/** `spire-aws-kms cancel-deletion`: a key, its alias and its tags back to use. */
import { Command } from "commander";
import { withConfigurationFlags } from "../configuration/flags.ts";
import { runCommand } from "../output/run-command.ts";
import type { CancelDeletionFlags } from "../rescue/run-cancel-deletion.ts";

const description = `Bring a key back that is scheduled for deletion, while its waiting period lasts.

Cancels the deletion, puts the key's alias (and in tag mode its tags) in place, and enables the key; KMS leaves it disabled and
without the alias that pruning took. The alias is told by the key's aliases, its tags or its description, or by --spire-key-id; where nothing
tells it, the key gets alias/rescued-… , which no server uses and no scan takes. An alias that stands on another usable key is never taken.`;

async function action(key: string, flags: CancelDeletionFlags): Promise<void> {
  await runCommand("cancel-deletion", flags, async (context) => {
    const { runCancelDeletion } = await import("../rescue/run-cancel-deletion.ts");
    return runCancelDeletion(key, flags, context);
  });
}

/** \`spire-aws-kms cancel-deletion\`. */
export function cancelDeletionCommand(): Command {
  return withConfigurationFlags(new Command("cancel-deletion").description(description))
    .argument("<key>", "key id, key ARN or alias")
    .option("--spire-key-id <id>", "SPIRE key id that it had, such as x509-CA-A, on the configuration's server")
    .option("--alias <name>", "alias to put on it, instead of the one it had")
    .option("--protect", "put no server's alias on it, only one that keeps the scans off")
    .option("--dry-run", "show the steps, and change nothing")
    .option("--yes", "do not ask")
    .option("--json", "print one JSON object")
    .option("--verbose", "tell how many calls were made")
    .addHelpText("after", "\nExit codes: 0 done, 1 AWS failed, 2 wrong arguments, 3 refused.")
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
    .action(action);
}
