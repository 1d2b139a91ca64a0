/** The `emulator` command alone, as a program: what tests start and kill. */
import { Command } from "commander";
import { emulatorCommand } from "../../../src/cli/commands/emulator.ts";

await new Command("spire-aws-kms").addCommand(emulatorCommand()).parseAsync();
