// biome-ignore-all lint/suspicious/noTemplateCurlyInString: HCL's interpolation looks like JavaScript's
import type { Random } from "./random.ts";

const plainKeys = ['"a"', '"A"', '"b"', '"s"', '"m"', '"M"', '"x y"', '"\\u00e9"', '"é"', '""', '"${k}"'] as const;
const literals = [
  '"v"',
  '""',
  '"\\n\\t\\""',
  '"${a}"',
  '"${"',
  '"\\u00e9"',
  '"\\ud83d\\ude00"',
  '"\\/"',
  '"\\x41"',
  '"\\777"',
  '"\\U00110000"',
  '"é😀"',
  "0",
  "1",
  "-1",
  "1.5",
  "01",
  "1e3",
  "1e",
  "1.e",
  ".5",
  ".5e1",
  "-",
  "+1",
  "9223372036854775808",
  "0x1",
  "1e400",
  "-0",
  "true",
  "false",
  "null",
  "nul",
  "True",
  "'x'",
  "NaN",
] as const;
const junk = ["", "", "", " x", "}", "\0", "\0}", ', "z": 1', "# c", "// c", "\n\n", "]", "{}"] as const;

function blank(random: Random): string {
  return random.chance(85) ? "" : random.pick([" ", "\n", "\t", "\r\n", "/**/", "\u00a0", "\0"]);
}

function literal(random: Random): string {
  return random.chance(60) ? random.pick(['"v"', "1", "true", "2.5", '"w x"', "null"]) : random.pick(literals);
}

function list(random: Random, depth: number): string {
  const isUniform = random.chance(50);
  const element = () => (isUniform && depth > 1 ? object(random, depth - 1) : value(random, depth - 1));
  return `[${random.many(0, 3, element).join(random.chance(90) ? "," : random.pick([" ", ",,"]))}${random.chance(5) ? "," : ""}]`;
}

function value(random: Random, depth: number): string {
  const kind = depth > 0 ? random.below(10) : 0;
  if (kind < 4) return literal(random);
  return kind < 8 ? object(random, depth - 1) : list(random, depth);
}

function member(random: Random, depth: number): string {
  const keys = random.chance(94) ? random.pick(plainKeys) : `${random.pick(plainKeys)} ${random.pick(plainKeys)}`;
  const colon = random.chance(97) ? ":" : random.pick(["", "=", "::"]);
  // Objects of objects only are what hcl1 turns into labels.
  const inner = random.chance(35) && depth > 0 ? object(random, depth - 1) : value(random, depth);
  return `${blank(random)}${keys}${blank(random)}${colon}${blank(random)}${inner}`;
}

function object(random: Random, depth: number): string {
  const members = random.many(0, 3, () => member(random, depth));
  const comma = random.chance(95) ? "," : random.pick(["", " ", ",,", ";"]);
  return `{${members.join(comma)}${random.chance(5) ? "," : ""}${blank(random)}${random.chance(97) ? "}" : ""}`;
}

/** Text along JSON's grammar, with the liberties hcl1's JSON parser takes. */
export function randomJson(random: Random): string {
  const start = random.chance(90) ? "" : random.pick([" ", "\n", "\u00a0", "\ufeff", "\v"]);
  return start + object(random, 4) + (random.chance(85) ? "" : random.pick(junk));
}

/** Brackets, scalars and separators without order, after the `{` that makes it JSON. */
export function randomJsonSoup(random: Random): string {
  const scrap = () =>
    random.pick(["{", "}", "[", "]", ",", ":", ".", ...plainKeys, ...literals, "\0", " ", '"a":', '"a":[', '"a":{']);
  return `{${random.many(0, 10, scrap).join("")}`;
}
