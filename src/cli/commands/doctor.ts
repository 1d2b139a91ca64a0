/** `spire-aws-kms doctor`: whether SPIRE Server would start with its keys in KMS, before it is started. */
import { Command } from "commander";
import { withConfigurationFlags } from "../configuration/flags.ts";
import type { DoctorFlags } from "../doctor/run-doctor.ts";
import { runCommand } from "../output/run-command.ts";

const description = `Check whether SPIRE Server would start with its keys in AWS KMS, and what will go wrong later.

Configuration, the plugin's file and checksum, identifier file, credentials, Region and endpoint, clock, each permission by a harmless
call, key policies, quotas, look-alike trust domains, stale keys, and what SPIRE's built-in plugin would find. It changes nothing. Run it
where SPIRE Server runs, as its user. What no harmless call can tell is "unknown", and no failure.`;

async function action(flags: DoctorFlags): Promise<void> {
  await runCommand("doctor", flags, async (context) => {
    const { runDoctor } = await import("../doctor/run-doctor.ts");
    return runDoctor(flags, context);
  });
}

/** \`spire-aws-kms doctor\`. */
export function doctorCommand(): Command {
  return withConfigurationFlags(new Command("doctor").description(description))
    .option(
      "--spire-bin [path]",
      "start the plugin through its handshake as SPIRE does, and let it validate: plugin_cmd, or this executable; for a spire-server, its own validation too",
    )
    .option("--quiet", "leave out what is as it must be")
    .option("--json", "print one JSON object")
    .option("--verbose", "tell how many calls were made")
    .addHelpText("after", "\nExit codes: 0 SPIRE Server would start, 1 it would fail, 2 wrong arguments.")
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
    .action(action);
}
