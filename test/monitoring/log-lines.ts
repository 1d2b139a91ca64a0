/** Reads the plugin's log lines off its source: level, message, and the names of the fields. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { repositoryFiles } from "../citations.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface LogLine {
  readonly file: string;
  readonly level: string;
  /** What a template fills in is written `…`; undefined where the message is made elsewhere. */
  readonly message: string | undefined;
  /** Names that the call itself writes. */
  readonly fields: readonly string[];
  /** What it takes over from elsewhere, as it is written: `more`, `fieldsOf(this.request)`. */
  readonly spread: readonly string[];
}

const openers: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };
const quotes = new Set(['"', "'", "`"]);

/** Where the text or bracket that begins at `start` ends. */
function endOf(source: string, start: number): number {
  const first = source[start] ?? "";
  if (quotes.has(first)) {
    for (let at = start + 1; at < source.length; at++) {
      if (source[at] === "\\") at++;
      else if (source[at] === first) return at;
      else if (first === "`" && source.startsWith("${", at)) at = endOf(source, at + 1);
    }
    return source.length;
  }
  for (let at = start + 1; at < source.length; at++) {
    const character = source[at] ?? "";
    if (character === openers[first]) return at;
    if (quotes.has(character) || character in openers) at = endOf(source, at);
  }
  return source.length;
}

/** Splits at a character, wherever it is not inside of something. */
function split(source: string, by: string): string[] {
  const parts = [""];
  for (let at = 0; at < source.length; at++) {
    const character = source[at] ?? "";
    const end = quotes.has(character) || character in openers ? endOf(source, at) : at;
    if (character === by) parts.push("");
    else parts[parts.length - 1] += source.slice(at, end + 1);
    at = end;
  }
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}

function messagesOf(expression: string): (string | undefined)[] {
  const [condition, choices] = split(expression, "?");
  if (condition !== undefined && choices !== undefined) return split(choices, ":").flatMap(messagesOf);
  if (/^["'`]/.test(expression) && endOf(expression, 0) === expression.length - 1) {
    let text = expression.slice(1, -1);
    if (expression.startsWith("`")) {
      for (let at = text.indexOf("${"); at >= 0; at = text.indexOf("${")) {
        text = `${text.slice(0, at)}…${text.slice(endOf(text, at + 1) + 1)}`;
      }
    }
    return [text.replaceAll(/\\(.)/g, "$1")];
  }
  return [undefined];
}

function fieldsOf(expression: string | undefined): Pick<LogLine, "fields" | "spread"> {
  if (expression === undefined) return { fields: [], spread: [] };
  if (!expression.startsWith("{")) return { fields: [], spread: [expression] };
  const members = split(expression.slice(1, -1), ",");
  return {
    fields: members.filter((member) => !member.startsWith("...")).map((member) => split(member, ":")[0] ?? ""),
    spread: members.filter((member) => member.startsWith("...")).map((member) => member.slice(3)),
  };
}

const withoutComments = (source: string): string =>
  source.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|[;{},)\s])\/\/ .*$/gm, "$1");

function linesOf(file: string): LogLine[] {
  const source = withoutComments(readFileSync(join(root, file), "utf8"));
  return [...source.matchAll(/\blog\??\.(trace|debug|info|warn|error)\(/gi)].flatMap((match) => {
    const start = match.index + match[0].length - 1;
    const [message = "", fields] = split(source.slice(start + 1, endOf(source, start)), ",");
    return messagesOf(message).map((text) => ({ file, level: match[1] ?? "", message: text, ...fieldsOf(fields) }));
  });
}

/** Rooms that run inside of our plugins; the texts of new projects are of plugins to come. */
const rooms = /^src\/(?:key-manager|aws|plugin|plugin-sdk(?!\/command\/)|go-plugin)\//;

export const logLines: readonly LogLine[] = repositoryFiles()
  .filter((file) => rooms.test(file) && file.endsWith(".ts") && !file.endsWith(".test.ts"))
  .flatMap(linesOf);
