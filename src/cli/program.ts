/** The commands of `spire-aws-kms`, as `main.ts` runs them and docs/cli.md shows them. */
import { Command } from "commander";
import { version } from "../version.ts";
import { benchCommand } from "./commands/bench.ts";
import { completionCommand } from "./commands/completion.ts";
import { demoCommand } from "./commands/demo.ts";
import { emulatorCommand } from "./commands/emulator.ts";
import { keysCommand } from "./commands/keys.ts";
import { migrateCommand } from "./commands/migrate.ts";
import { promoteCommand } from "./commands/promote.ts";
import { reportCommand } from "./commands/report.ts";

export function programOf(): Command {
  const program = new Command("spire-aws-kms");
  return program
    .description("Tools around the aws_kms and kms KeyManager plugins of SPIRE Server")
    .version(version)
    .addCommand(emulatorCommand())
    .addCommand(demoCommand())
    .addCommand(keysCommand())
    .addCommand(reportCommand())
    .addCommand(benchCommand())
    .addCommand(migrateCommand())
    .addCommand(promoteCommand())
    .addCommand(completionCommand(program));
}
