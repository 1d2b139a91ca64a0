/** Completion for bash 3.2 and newer; needs nothing of the package bash-completion. */
import type { CommandWords, OptionWord, ProgramWords, ValueKind } from "./command-words.ts";

const namesOf = (options: readonly OptionWord[]): string => options.flatMap(({ names }) => names).join(" ");

/** What completes a value; `: ` completes nothing. */
function reply(kind: ValueKind): string {
  if (kind === "file") return 'compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur"))';
  if (kind === "folder") return 'compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$cur"))';
  return typeof kind === "string" ? ":" : `COMPREPLY=($(compgen -W '${kind.join(" ")}' -- "$cur"))`;
}

function commandCase({ name, options, argument }: CommandWords): string {
  const withValues = options.filter(({ value }) => value !== "none");
  const values = withValues.map(({ names, value }) => `        ${names.join("|")}) ${reply(value)}; return ;;`);
  const otherwise =
    argument === "none" || argument === "any"
      ? `COMPREPLY=($(compgen -W '${namesOf(options)}' -- "$cur"))`
      : `if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W '${namesOf(options)}' -- "$cur")); else ${reply(argument)}; fi`;
  return [
    `    ${name})`,
    ...(values.length === 0 ? [] : ['      case "$prev" in', ...values, "      esac"]),
    `      ${otherwise} ;;`,
  ].join("\n");
}

export function bashCompletion({ program, commands, options }: ProgramWords): string {
  const name = `_${program.replaceAll("-", "_")}`;
  const first = [...commands.map((command) => command.name), "help", ...options.flatMap(({ names }) => names)];
  return `# bash completion of ${program}; try it with: source <(${program} completion bash)
${name}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} IFS=$' \\t\\n'
  COMPREPLY=()
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W '${first.join(" ")}' -- "$cur"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
    help) [[ $COMP_CWORD -eq 2 ]] && COMPREPLY=($(compgen -W '${commands.map((command) => command.name).join(" ")}' -- "$cur")) ;;
${commands.map(commandCase).join("\n")}
  esac
}
complete -F ${name} ${program}
`;
}
