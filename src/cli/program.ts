/** The commands of `spire-aws-kms`, as `main.ts` runs them and docs/cli.md shows them. */
import { Command } from "commander";
import { version } from "../version.ts";
import { benchCommand } from "./commands/bench.ts";
import { cancelDeletionCommand } from "./commands/cancel-deletion.ts";
import { checksumCommand } from "./commands/checksum.ts";
import { completionCommand } from "./commands/completion.ts";
import { demoCommand } from "./commands/demo.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { emulatorCommand } from "./commands/emulator.ts";
import { keysCommand } from "./commands/keys.ts";
import { migrateCommand } from "./commands/migrate.ts";
import { policyCommand } from "./commands/policy.ts";
import { promoteCommand } from "./commands/promote.ts";
import { pruneCommand } from "./commands/prune.ts";
import { reportCommand } from "./commands/report.ts";
import { exitCodes } from "./output/exit-codes.ts";
import { printable } from "./output/terminal.ts";

/** Whatever is wrong with arguments ends with one exit code; what was typed does not steer the terminal. */
function withOneEnd(command: Command): Command {
  command.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? exitCodes.done : exitCodes.usage));
  command.configureOutput({ outputError: (text, write) => write(printable(text)) });
  for (const sub of command.commands) withOneEnd(sub);
  return command;
}

export function programOf(): Command {
  const program = new Command("spire-aws-kms");
  const whole = program
    .description("Tools around the aws_kms and kms KeyManager plugins of SPIRE Server")
    .version(version)
    .addCommand(emulatorCommand())
    .addCommand(demoCommand())
    .addCommand(keysCommand())
    .addCommand(doctorCommand())
    .addCommand(reportCommand())
    .addCommand(benchCommand())
    .addCommand(pruneCommand())
    .addCommand(cancelDeletionCommand())
    .addCommand(policyCommand())
    .addCommand(checksumCommand())
    .addCommand(migrateCommand())
    .addCommand(promoteCommand())
    .addCommand(completionCommand(program));
  return withOneEnd(whole);
}
