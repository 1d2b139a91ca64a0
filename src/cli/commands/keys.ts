/** `spire-aws-kms keys`: every key of a trust domain, what it is and why. */
import { Command, InvalidArgumentError, Option } from "commander";
import { withConfigurationFlags } from "../configuration/flags.ts";
import type { KeysFlags } from "../keys/run-keys.ts";
import { runCommand } from "../output/run-command.ts";

const description = `Show every key of a trust domain in an account and Region, what it is, and why.

Which server made it, for which SPIRE key id; when it was made and refreshed, and when it will be stale; what it costs; whether it is
in use, stale, orphaned, duplicated, unusable or pending deletion, by the very rules of the plugin's scans. It changes nothing.
Rows come as they are found; problems come last, each with its reason.`;

const wholeNumber = (least: number, most: number) => (text: string) => {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < least || number > most) {
    throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}`);
  }
  return number;
};

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

/** The inventory and the AWS SDK are loaded only when there is something to do. */
async function action(flags: KeysFlags): Promise<void> {
  await runCommand("keys", flags, async (context) => {
    const { runKeys } = await import("../keys/run-keys.ts");
    return runKeys(flags, context);
  });
}

/** \`spire-aws-kms keys\`. */
export function keysCommand(): Command {
  return withConfigurationFlags(new Command("keys").description(description))
    .option("--all-regions", "look at every Region of the partition, one after another")
    .option("--regions <codes>", "look at these Regions, with commas between them")
    .option("--sort <columns>", "sort by columns, with commas between them and - before one to turn it round")
    .option("--filter <column=text>", "show only what has this text; * stands for anything; may be repeated", collect)
    .option("--problems", "show only what is stale, orphaned, duplicated, unusable or unknown")
    .option("--wide", "show replicas, alias and ARN, too, and shorten nothing")
    .option("--foreign", "describe and show keys of others, too")
    .addOption(
      new Option("--nameless <which>", "keys without an alias, orphans among them: how many may be looked at")
        .choices(["auto", "all", "none"])
        .default("auto"),
    )
    .addOption(
      new Option("--replicas <which>", "state of multi-Region keys in their other Regions: how many may be looked at")
        .choices(["auto", "all", "none"])
        .default("auto"),
    )
    .option("--rate <calls>", "AWS calls a second, at most (default: 200)", wholeNumber(1, 2_000))
    .option("--watch [seconds]", "look again and again (default: 60)", wholeNumber(1, 86_400))
    .option("--json", "print one JSON object instead of a table; with --watch one a line")
    .option("--verbose", "tell how many calls were made")
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 1 AWS failed, 2 wrong arguments, 4 done but for what a permission is missing.",
    )
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
    .action(action);
}
