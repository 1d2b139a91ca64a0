/** Entry of `spire-aws-kms`, the command line. One file per command in `commands/`. */
import { Command } from "commander";
import { version } from "../version.ts";
import { demoCommand } from "./commands/demo.ts";
import { emulatorCommand } from "./commands/emulator.ts";
import { migrateCommand } from "./commands/migrate.ts";

const program = new Command("spire-aws-kms")
  .description("Tools around the aws_kms and kms KeyManager plugins of SPIRE Server")
  .version(version)
  .addCommand(emulatorCommand())
  .addCommand(demoCommand())
  .addCommand(migrateCommand());

void program.parseAsync();
