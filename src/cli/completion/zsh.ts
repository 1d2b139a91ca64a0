/** Completion for zsh, by its own _arguments and _describe. */
import type { CommandWords, OptionWord, ProgramWords, ValueKind } from "./command-words.ts";

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
/** In a description of _arguments. */
const plain = (text: string): string => text.replace(/[[\]\\]/g, "\\$&").replaceAll(":", "\\:");

function action(kind: ValueKind): string {
  if (kind === "file") return "_files";
  if (kind === "folder") return "_files -/";
  return typeof kind === "string" ? " " : `(${kind.join(" ")})`;
}

const optionSpecs = ({ names, description, value, valueName, isRepeatable }: OptionWord): string[] =>
  names.map((name) => {
    const others = isRepeatable ? "*" : `(${names.join(" ")})`;
    const rest = value === "none" ? "" : `:${plain(valueName)}:${action(value)}`;
    return quoted(`${others}${name}[${plain(description)}]${rest}`);
  });

function commandCase({ name, options, argument }: CommandWords): string {
  const specs = [
    ...options.flatMap(optionSpecs),
    ...(argument === "none" ? [] : [quoted(`1:argument:${action(argument)}`)]),
  ];
  return `    ${name})\n      _arguments -s ${specs.join(" \\\n        ")} ;;`;
}

export function zshCompletion({ program, commands, options }: ProgramWords): string {
  const name = `_${program.replaceAll("-", "_")}`;
  const described = [...commands, { name: "help", description: "explain a command" }].map(
    ({ name: word, description }) => quoted(`${word}:${description}`),
  );
  return `#compdef ${program}
# zsh completion of ${program}; try it with: source <(${program} completion zsh)
${name}() {
  local -a commands
  commands=(
    ${described.join("\n    ")}
  )
  if (( CURRENT == 2 )); then
    if [[ $words[CURRENT] == -* ]]; then
      _arguments ${options.flatMap(optionSpecs).join(" \\\n        ")}
    else
      _describe command commands
    fi
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
    help) (( CURRENT == 2 )) && _describe command commands ;;
${commands.map(commandCase).join("\n")}
  esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  ${name} "$@"
else
  compdef ${name} ${program}
fi
`;
}
