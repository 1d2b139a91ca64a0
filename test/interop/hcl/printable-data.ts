// biome-ignore-all lint/suspicious/noTemplateCurlyInString: HCL's interpolation looks like JavaScript's
import type { PrintableObject, PrintableValue } from "../../../src/hcl/index.ts";
import type { Random } from "./random.ts";

const keys = ["region", "key tags", "a.b", "true", "é", "", 'q"', "${x}", "line\nend", "😀", "A-1"] as const;
const strings = [
  "",
  "v",
  "${",
  "${a}",
  "$${x}",
  "\u0000",
  "\ue123",
  "\u0085",
  'say "hi"',
  "back\\slash",
  "\r\n",
  "EOF",
  "\ufeff\ufffd",
] as const;
const numbers = [0, -0, 1, -1, 0.1, 1e21, 1e-7, 5e-324, Number.MAX_VALUE, 2 ** 53, -(2 ** 53) + 1, 2 ** 60] as const;

function value(random: Random, depth: number): PrintableValue {
  const kind = random.below(depth > 0 ? 9 : 6);
  if (kind < 2) return random.pick(strings);
  if (kind < 4) return random.pick(numbers);
  if (kind < 5) return random.chance(50);
  if (kind < 6) return random.pick([0n, -(2n ** 63n), 2n ** 63n - 1n]);
  return kind < 8 ? object(random, depth - 1) : random.many(0, 3, () => value(random, depth - 1));
}

function object(random: Random, depth: number): PrintableObject {
  return Object.fromEntries(random.many(0, 4, () => [random.pick(keys), value(random, depth)] as const));
}

/** Data for `printHcl`, full of what is hard to quote. */
export function randomData(random: Random): PrintableObject {
  return object(random, 3);
}
