/** `spire-aws-kms completion`: a shell's completion, made from the very commands that there are. */
import { Argument, Command } from "commander";
import { bashCompletion } from "../completion/bash.ts";
import { type ProgramWords, wordsOf } from "../completion/command-words.ts";
import { fishCompletion } from "../completion/fish.ts";
import { zshCompletion } from "../completion/zsh.ts";
import { exitCodes } from "../output/exit-codes.ts";
import { runCommand } from "../output/run-command.ts";

const shells: Readonly<Record<string, (words: ProgramWords) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

const whereTo = `
Where to put it:
  bash  spire-aws-kms completion bash > ~/.local/share/bash-completion/completions/spire-aws-kms
  zsh   spire-aws-kms completion zsh > ~/.zfunc/_spire-aws-kms   (with fpath+=~/.zfunc before compinit)
  fish  spire-aws-kms completion fish > ~/.config/fish/completions/spire-aws-kms.fish`;

/** \`spire-aws-kms completion\`. @param program the program that it completes */
export function completionCommand(program: Command): Command {
  return new Command("completion")
    .description("print the completion of commands and options for a shell")
    .addArgument(new Argument("<shell>", "which shell").choices(Object.keys(shells)))
    .addHelpText("after", whereTo)
    .exitOverride((error) => process.exit(error.exitCode === 0 ? exitCodes.done : exitCodes.usage))
    .action((shell: string) =>
      runCommand("completion", {}, async ({ terminal }) => {
        terminal.print(shells[shell]?.(wordsOf(program)).trimEnd() ?? "");
        return exitCodes.done;
      }),
    );
}
