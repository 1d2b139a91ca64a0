/**
 * HTML from templates. Whatever is put into one is text and is escaped, unless it was itself made here: aliases, tags and
 * descriptions come from an account in which others may write.
 */
import { printable } from "../../output/terminal.ts";

/** Markup that needs no escaping any more. Only this file makes it. */
class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type { Markup };

/** What may stand in a template; `undefined` and `false` are nothing. */
export type Part = Markup | string | number | undefined | false | readonly Part[];

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
  "`": "&#96;",
};

/** Control characters and those that turn the direction of writing are shown as what they are. */
export const escaped = (text: string): string =>
  printable(text).replace(/[&<>"'`]/g, (character) => escapes[character] ?? "");

function textOf(part: Part): string {
  if (part === undefined || part === false) return "";
  if (part instanceof Markup) return part.text;
  if (typeof part === "object") return part.map(textOf).join("");
  return escaped(String(part));
}

/** A template; attributes stand in double quotes. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(strings.reduce((whole, string, index) => whole + textOf(parts[index - 1]) + string));
}
