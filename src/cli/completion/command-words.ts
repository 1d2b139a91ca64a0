/** What can be typed after the program's name, read off its commands. */
import type { Command, Option } from "commander";

/** What an option's value is. */
export type ValueKind = "none" | "any" | "file" | "folder" | readonly string[];

export interface OptionWord {
  /** `--config`, and `-c` if there is one. */
  readonly names: readonly string[];
  readonly description: string;
  readonly value: ValueKind;
  /** The name of the value, for people. */
  readonly valueName: string;
  readonly isRepeatable: boolean;
}

export interface CommandWords {
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionWord[];
  /** What its first argument may be. */
  readonly argument: ValueKind;
}

export interface ProgramWords {
  readonly program: string;
  readonly commands: readonly CommandWords[];
  readonly options: readonly OptionWord[];
}

const firstLine = (text: string): string => text.split("\n", 1)[0] ?? "";

const kindOf = (name: string): ValueKind =>
  /file|path/i.test(name) ? "file" : /folder|dir/i.test(name) ? "folder" : "any";

function optionWord(option: Option): OptionWord {
  const [, valueName = ""] = /[<[]([^>\]]+)[>\]]/.exec(option.flags) ?? [];
  const takesValue = option.required || option.optional;
  return {
    names: [option.long, option.short].filter((name) => name !== undefined),
    description: firstLine(option.description),
    value: option.argChoices ?? (takesValue ? kindOf(valueName) : "none"),
    valueName,
    isRepeatable: /repeated/.test(option.description),
  };
}

function commandWords(command: Command): CommandWords {
  const [argument] = command.registeredArguments;
  return {
    name: command.name(),
    description: command.summary() || firstLine(command.description()),
    options: command.createHelp().visibleOptions(command).map(optionWord),
    argument: argument === undefined ? "none" : (argument.argChoices ?? kindOf(argument.name())),
  };
}

export function wordsOf(program: Command): ProgramWords {
  const help = program.createHelp();
  return {
    program: program.name(),
    commands: help
      .visibleCommands(program)
      .filter((command) => command.name() !== "help")
      .map(commandWords),
    options: help.visibleOptions(program).map(optionWord),
  };
}
