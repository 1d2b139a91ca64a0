import { anchors, blanks, heredocLines, keys, noise, numbers, stringBits, tameStringBits } from "./hcl-scraps.ts";
import type { Random } from "./random.ts";

/** White space and comments, nearly always some that separate. */
function gap(random: Random): string {
  if (random.chance(70)) return " ";
  if (random.chance(60)) return random.pick(blanks);
  return random.pick([
    "# c\n",
    "// c\n",
    "/* c */",
    "/**/",
    "/* \n */",
    "#\n",
    "/* unclosed",
    "/ ",
    "/*/",
    " # c \r\n",
  ]);
}

function separator(random: Random): string {
  return random.chance(75) ? "\n" : random.pick([",", ", ", ",\n", " ", "", "\r\n", ",,", ";", "\n\n", "\n# c\n\n"]);
}

export function randomString(random: Random): string {
  const bits = random.chance(70) ? tameStringBits : stringBits;
  return `"${random.many(0, 4, () => random.pick(bits)).join("")}"`;
}

/** A heredoc, with its closing line most of the time. */
export function randomHeredoc(random: Random): string {
  const anchor = random.pick(anchors);
  const lines = random.many(0, 4, () => random.pick(heredocLines));
  const end = random.chance(85) ? "\n" : random.pick(["\r\n", "\r\r\n", "", " \n", "\r"]);
  const open = random.chance(95) ? `${anchor}${end}` : `${random.pick(["", " ", "-", "'"])}${anchor}\n`;
  const indentation = random.pick(["", "", "  ", "\t", "    ", "\v"]);
  const close = random.chance(92) ? `${indentation}${anchor}${end}` : random.pick(["", "EOF", "\nE\n"]);
  const body = lines.map((line) => (random.chance(50) ? indentation : "") + line + (end === "" ? "\n" : end)).join("");
  return `<<${random.chance(50) ? "-" : ""}${open}${body}${close}`;
}

function scalar(random: Random): string {
  const kind = random.below(20);
  if (kind < 9) return randomString(random);
  if (kind < 14) return random.chance(60) ? String(random.below(1000)) : random.pick(numbers);
  if (kind < 17) return random.pick(["true", "false"]);
  if (kind < 19) return randomHeredoc(random);
  return random.pick(["null", "bare", "", "True", "a.b", "-", "{", "="]);
}

function list(random: Random, depth: number): string {
  const items = random.many(0, 4, () => gap(random) + value(random, depth - 1));
  const comma = random.chance(85) ? "," : random.pick([",,", " ", "\n", ",\n"]);
  return `[${items.join(comma)}${random.chance(25) ? "," : ""}${gap(random)}]`;
}

function value(random: Random, depth: number): string {
  const kind = depth > 0 ? random.below(10) : 0;
  if (kind < 6) return scalar(random);
  return kind < 8 ? list(random, depth) : `{${gap(random)}${items(random, depth - 1)}${gap(random)}}`;
}

function key(random: Random): string {
  if (random.chance(75)) return random.pick(keys);
  return random.chance(80)
    ? randomString(random)
    : random.pick(["true", "1", "<<E\nE\n", "1a", "a:", "-a", ".a", "é-.1"]);
}

function item(random: Random, depth: number): string {
  const form = random.below(10);
  if (form < 6) return `${key(random)}${gap(random)}=${gap(random)}${value(random, depth)}`;
  const labels = form < 8 ? [] : random.many(1, 2, () => (random.chance(60) ? '"l"' : key(random)));
  const assign = random.chance(4) ? "= " : "";
  return `${[key(random), ...labels].join(" ")}${gap(random)}${assign}{${gap(random)}${items(random, depth - 1)}}`;
}

function items(random: Random, depth: number): string {
  if (depth <= 0) return "";
  return random.many(0, 4, () => item(random, depth)).join(separator(random));
}

/** Text along HCL's grammar, with the oddities a person or a program might write. */
export function randomHcl(random: Random): string {
  const start = random.chance(95) ? "" : random.pick(["\ufeff", "\n", " \t", "# c\n", ",", "\u00a0", "\v"]);
  return start + items(random, 3) + (random.chance(80) ? "\n" : random.pick(["", ",", " ", "a =", "a", "}", "#"]));
}

/** What a configuration for the key manager looks like, more or less. */
export function randomFields(random: Random): string {
  const simple = () => (random.chance(60) ? randomString(random) : scalar(random));
  const entry = () => `${key(random)} = ${simple()}`;
  const field = (): string => {
    const name = random.pick(["s", "S", "ſ", "b", "B", "m", "M", "s", "m"]);
    if (random.chance(50)) return `${name} = ${simple()}`;
    const body = `{ ${random.many(0, 3, entry).join(random.chance(80) ? "\n" : " ")} }`;
    return random.chance(60) ? `${name} ${body}` : `${name} = ${random.chance(80) ? body : `[${body}]`}`;
  };
  return random.many(0, 4, field).join("\n");
}

/** Tokens and scraps of tokens in no order at all. */
export function randomSoup(random: Random): string {
  const scrap = (): string => {
    const kind = random.below(10);
    if (kind < 4) return random.pick(noise);
    if (kind < 6) return random.pick(keys);
    return kind < 7 ? random.pick(numbers) : scalar(random);
  };
  return random.many(1, 12, scrap).join(random.chance(50) ? " " : "");
}

/** One assignment whose value is made of the characters numbers are made of. */
export function randomNumberText(random: Random): string {
  const digits = random.many(1, 7, () =>
    random.pick(["0", "1", "7", "8", "9", ".", "e", "E", "-", "+", "x", "f", "_"]),
  );
  return `a = ${random.chance(50) ? random.pick(numbers) : ""}${digits.join("")}${random.pick(["", "\n", " ", "\nb = 1", ",b=1"])}`;
}

/** One assignment whose value is a string or heredoc of odd pieces. */
export function randomStringText(random: Random): string {
  if (random.chance(40)) return `a = ${randomHeredoc(random)}${random.pick(["", "\n", "b = 1", "}"])}`;
  return `a = "${random.many(0, 6, () => random.pick(stringBits)).join("")}"${random.pick(["", "\n", ' b = "x"'])}`;
}

/** The text with a few characters lost, doubled, moved or added. */
export function mutate(random: Random, text: string): string {
  let result = text;
  for (let times = 1 + random.below(3); times > 0; times--) {
    const at = random.below(result.length + 1);
    const length = 1 + random.below(3);
    const kind = random.below(4);
    const before = result.slice(0, at);
    if (kind === 0) result = before + result.slice(at + length);
    else if (kind === 1)
      result = before + random.pick([...noise, ...stringBits, '"', "\0", "\ue123", "<<-E\n"]) + result.slice(at);
    else if (kind === 2) result = before + result.slice(at, at + length * 4).repeat(2) + result.slice(at + length * 4);
    else result = result.slice(at) + before;
  }
  // What arrives in a protobuf string has no halves of surrogate pairs.
  return result.replace(/[\uD800-\uDFFF]/gu, "?");
}
