/** Completion for fish 3. */
import type { CommandWords, OptionWord, ProgramWords, ValueKind } from "./command-words.ts";

const quoted = (text: string): string => `'${text.replace(/['\\]/g, "\\$&")}'`;

function value(kind: ValueKind): string {
  if (kind === "none") return "";
  if (kind === "file") return " -r -F";
  if (kind === "folder") return " -x -a '(__fish_complete_directories)'";
  return typeof kind === "string" ? " -x" : ` -x -a ${quoted(kind.join(" "))}`;
}

const flag = (name: string): string => (name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`);

function optionLine(program: string, condition: string, { names, description, value: kind }: OptionWord): string {
  return `complete -c ${program} -n ${quoted(condition)} ${names.map(flag).join(" ")}${value(kind)} -d ${quoted(description)}`;
}

function commandLines(program: string, { name, options, argument }: CommandWords): string[] {
  const condition = `__fish_seen_subcommand_from ${name}`;
  const choices =
    typeof argument === "string"
      ? argument === "file"
        ? [`complete -c ${program} -n ${quoted(condition)} -F`]
        : []
      : [`complete -c ${program} -n ${quoted(condition)} -a ${quoted(argument.join(" "))}`];
  return [...options.map((option) => optionLine(program, condition, option)), ...choices];
}

export function fishCompletion({ program, commands, options }: ProgramWords): string {
  const first = "__fish_use_subcommand";
  return [
    `# fish completion of ${program}; try it with: ${program} completion fish | source`,
    `complete -c ${program} -f`,
    ...commands.map(
      ({ name, description }) => `complete -c ${program} -n ${first} -a ${name} -d ${quoted(description)}`,
    ),
    `complete -c ${program} -n ${first} -a help -d 'explain a command'`,
    ...options.map((option) => optionLine(program, first, option)),
    `complete -c ${program} -n '__fish_seen_subcommand_from help' -a ${quoted(commands.map(({ name }) => name).join(" "))}`,
    ...commands.flatMap((command) => commandLines(program, command)),
    "",
  ].join("\n");
}
