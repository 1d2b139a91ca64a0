/** `spire-aws-kms bench`: how fast the operator's own KMS signs, from this machine. */
import { Command, InvalidArgumentError } from "commander";
import type { BenchFlags } from "../bench/run-bench.ts";
import { withConfigurationFlags } from "../configuration/flags.ts";
import { runCommand } from "../output/run-command.ts";

const description = `Measure how fast AWS KMS signs, from this machine, with a key that SPIRE uses.

It tells what the run costs, and asks before it begins. Random bytes are signed and thrown away; no key is made or changed. The way is
the plugin's own: its credentials, its connections, its retries.`;

const wholeNumber = (most: number) => (text: string) => {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < 1 || number > most) {
    throw new InvalidArgumentError(`expected a whole number from 1 to ${most}`);
  }
  return number;
};

async function action(flags: BenchFlags): Promise<void> {
  await runCommand("bench", flags, async (context) => {
    const { runBench } = await import("../bench/run-bench.ts");
    return runBench(flags, context);
  });
}

/** \`spire-aws-kms bench\`. */
export function benchCommand(): Command {
  return withConfigurationFlags(new Command("bench").description(description))
    .option("--key <id>", "key id, ARN or alias to sign with (default: a key of the trust domain that is in use)")
    .option("--count <number>", "signatures, 10000 at most", wholeNumber(10_000), 100)
    .option("--concurrency <number>", "signatures at a time, 50 at most", wholeNumber(50), 1)
    .option("--yes", "begin without asking")
    .option("--json", "print one JSON object instead of the plot")
    .option("--verbose", "tell how many calls were made")
    .addHelpText("after", "\nExit codes: 0 done, 1 AWS failed or signatures did, 2 wrong arguments, 3 not agreed to.")
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
    .action(action);
}
