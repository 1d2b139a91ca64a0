/** `spire-aws-kms report`: all keys of a trust domain on one page. */
import { Command, InvalidArgumentError, Option } from "commander";
import { withConfigurationFlags } from "../configuration/flags.ts";
import { runCommand } from "../output/run-command.ts";
import type { ReportFlags } from "../report/run-report.ts";

const description = `Write one HTML page that shows every key of a trust domain on a time line.

Servers are rows; what is stale is red; counts and cost over time, and what to do, stand beside it. The page needs nothing
beside it: no script, no request; it can be printed and read on a phone. AWS is only read. With --history the command keeps
what it saw, so that later pages know the past, which KMS forgets.`;

const rateOf = (text: string): number => {
  const rate = Number(text);
  if (!/^\d+$/.test(text) || rate < 1 || rate > 2_000) {
    throw new InvalidArgumentError("expected a whole number from 1 to 2000");
  }
  return rate;
};

async function action(flags: ReportFlags): Promise<void> {
  await runCommand("report", flags, async (context) => {
    const { runReport } = await import("../report/run-report.ts");
    return runReport(flags, context);
  });
}

/** \`spire-aws-kms report\`. */
export function reportCommand(): Command {
  return withConfigurationFlags(new Command("report").description(description))
    .requiredOption("--html <file>", "the page; - prints it to stdout. A page of an earlier run is replaced")
    .option("--force", "replace the file whatever it is")
    .option("--history <file>", "keep what each run saw in this file, and show it")
    .option("--all-regions", "look at every Region of the partition, one after another")
    .option("--regions <codes>", "look at these Regions, with commas between them")
    .addOption(
      new Option("--nameless <which>", "keys without an alias, orphans among them: how many may be looked at")
        .choices(["auto", "all", "none"])
        .default("auto"),
    )
    .option("--rate <calls>", "AWS calls a second, at most (default: 200)", rateOf)
    .option("--no-doctor", "leave out what doctor finds about configuration, files, permissions and clock")
    .option("--json", "print one JSON object about the page to stdout")
    .option("--verbose", "tell how many calls were made")
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 1 AWS failed, 2 wrong arguments, 3 a file is in the way, 4 done but for what a permission is missing.",
    )
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
    .action(action);
}
