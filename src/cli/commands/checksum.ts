/** `spire-aws-kms checksum`: the plugin_checksum line, and the KeyManager block that it belongs into. */
import { Command } from "commander";
import { runCommand } from "../output/run-command.ts";
import type { ChecksumFlags } from "../policy/run-checksum.ts";

/** \`spire-aws-kms checksum\`. */
export function checksumCommand(): Command {
  return new Command("checksum")
    .description(
      "Print the plugin_checksum line of a plugin's file, and a KeyManager block that is ready for server.conf.",
    )
    .argument("[file]", "the plugin's executable (default: plugin_cmd of --config, or the aws_kms beside this command)")
    .option("--config <file>", "SPIRE Server's server.conf, whose block is printed anew")
    .option("--expand-env", "put environment variables into server.conf, as spire-server run -expandEnv does")
    .option("--chdir <folder>", "SPIRE Server's working folder, from which relative paths start")
    .option("--json", "print one JSON object")
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
    .action((file: string | undefined, flags: ChecksumFlags) =>
      runCommand("checksum", flags, async (context) => {
        const { runChecksum } = await import("../policy/run-checksum.ts");
        return runChecksum(file, flags, context);
      }),
    );
}
