/**
 * Makes docs/cli.md from the commands themselves, so that the page says what `--help` says.
 * `npm run docs:cli` writes it; `test/cli/reference.test.ts` holds it to the commands.
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Argument, Command, Option } from "commander";
import { programOf } from "../src/cli/program.ts";

export const referencePath = fileURLToPath(new URL("../docs/cli.md", import.meta.url));

/** A `|` would end the cell, and `<word>` outside of code is HTML. */
const inCell = (text: string): string =>
  text.replaceAll("|", "\\|").replaceAll("<", "&lt;").replaceAll("\n", " ").trim();

function defaultOf({ defaultValue, defaultValueDescription }: Option | Argument): string {
  if (defaultValueDescription !== undefined) return defaultValueDescription;
  return defaultValue === undefined || typeof defaultValue === "boolean" ? "" : String(defaultValue);
}

function notesOn(item: Option | Argument): string {
  const { argChoices } = item;
  const standard = defaultOf(item);
  const notes = [
    argChoices === undefined ? "" : `one of ${argChoices.join(", ")}`,
    standard === "" ? "" : `default: ${standard}`,
    "envVar" in item && item.envVar !== undefined ? `or the variable ${item.envVar}` : "",
    "mandatory" in item && item.mandatory ? "must be given" : "",
  ].filter((note) => note !== "");
  return notes.length === 0 ? item.description : `${item.description} (${notes.join("; ")})`;
}

const table = (head: string, rows: readonly (readonly [code: string, text: string])[]): string =>
  rows.length === 0
    ? ""
    : [
        `| ${head} | |`,
        "| --- | --- |",
        ...rows.map(([code, text]) => `| \`${code.replaceAll("|", "\\|")}\` | ${inCell(text)} |`),
        "",
      ].join("\n");

const argumentTerm = (argument: Argument): string => {
  const name = `${argument.name()}${argument.variadic ? "..." : ""}`;
  return argument.required ? `<${name}>` : `[${name}]`;
};

/** What `--help` prints after the list of options. */
function afterHelp(command: Command): string {
  let whole = "";
  const before = command.configureOutput();
  command.configureOutput({
    ...before,
    writeOut: (text) => {
      whole += text;
    },
  });
  command.outputHelp();
  command.configureOutput(before);
  const rest = whole.slice(whole.indexOf(command.helpInformation()) + command.helpInformation().length).trim();
  // Indented text is what is typed or printed: it stands as it is.
  return rest === "" ? "" : /^\s{2}/m.test(rest) ? `\`\`\`text\n${rest}\n\`\`\`\n` : `${inCell(rest)}\n`;
}

function chaptersOf(command: Command, parents: readonly string[]): readonly string[] {
  const path = [...parents, command.name()];
  const help = command.createHelp();
  const commands = help.visibleCommands(command).filter((one) => one.name() !== "help");
  const own = [
    `${"#".repeat(path.length)} ${path.join(" ")}`,
    command.description().replaceAll("<", "&lt;"),
    `\`\`\`text\n${path.join(" ")} ${command.usage()}\n\`\`\``,
    table(
      "argument",
      command.registeredArguments.map((argument) => [argumentTerm(argument), notesOn(argument)] as const),
    ),
    table(
      "option",
      help.visibleOptions(command).map((option) => [option.flags, notesOn(option)] as const),
    ),
    table(
      "command",
      commands.map((one) => [one.name(), one.summary() || (one.description().split("\n")[0] ?? "")] as const),
    ),
    afterHelp(command),
  ].flatMap((text) => (text === "" ? [] : [text.trimEnd()]));
  return [...own, ...commands.flatMap((one) => chaptersOf(one, path))];
}

/** The whole page. */
export function referenceOf(program: Command): string {
  const chapters = chaptersOf(program, []);
  const [title = "", ...rest] = chapters;
  const note =
    "This page is made from the program by `npm run docs:cli`, and a test holds it to that: change the commands, not the page.";
  return `${[title, note, ...rest].join("\n\n")}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(referencePath, referenceOf(programOf()));
