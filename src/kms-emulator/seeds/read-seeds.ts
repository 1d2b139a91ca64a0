/** Reads seeds, from a file or as they are given: the form of every member is checked, and every problem says where. */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { didYouMean, EmulatorError } from "../errors.ts";
import type { SeedKey, Seeds } from "./seed-file.ts";

export const bad = (where: string, what: string, cause?: unknown): EmulatorError =>
  new EmulatorError("INVALID_SEEDS", `seeds: ${where}: ${what}`, cause === undefined ? undefined : { cause });

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

type Form = readonly [expected: string, isFit: (value: unknown) => boolean];

const text: Form = ["a string", (value) => typeof value === "string"];
const days: Form = [
  "a number of days, 0 or more",
  (value) => typeof value === "number" && value >= 0 && value < 40_000,
];
const flag: Form = ["true or false", (value) => typeof value === "boolean"];

const aliasForms: Readonly<Record<string, Form>> = { name: text, ageDays: days, updatedDaysAgo: days };

const isAlias = (value: unknown): boolean => typeof value === "string" || isObject(value);

const keyForms: Readonly<Record<keyof SeedKey, Form>> = {
  keyId: text,
  region: text,
  account: text,
  keySpec: text,
  keyUsage: text,
  privateKey: text,
  privateKeyFile: text,
  secret: text,
  description: text,
  state: [
    "Enabled, Disabled or PendingDeletion",
    (value) => value === "Enabled" || value === "Disabled" || value === "PendingDeletion",
  ],
  pendingWindowInDays: ["a number from 7 to 30", (value) => typeof value === "number" && value >= 7 && value <= 30],
  ageDays: days,
  multiRegion: flag,
  policy: ["a policy, as an object or as text", (value) => typeof value === "string" || isObject(value)],
  tags: [
    'an object of texts such as {"team": "web"}',
    (value) => isObject(value) && Object.values(value).every((tag) => typeof tag === "string"),
  ],
  aliases: ["a list of names or objects", (value) => Array.isArray(value) && value.every(isAlias)],
};

function requireForms(value: unknown, forms: Readonly<Record<string, Form>>, where: string): void {
  if (!isObject(value)) throw bad(where, "must be an object");
  for (const [name, given] of Object.entries(value)) {
    const form = Object.hasOwn(forms, name) ? forms[name] : undefined;
    if (form === undefined) throw bad(where, `there is no ${name}${didYouMean(name, Object.keys(forms))}`);
    // The value may be a secret, so it is not shown.
    if (given !== undefined && !form[1](given)) throw bad(`${where}.${name}`, `must be ${form[0]}`);
  }
}

/** Throws EmulatorError INVALID_SEEDS. */
export function checkSeeds(value: unknown): Seeds {
  requireForms(value, { keys: ["a list", Array.isArray] }, "the file");
  const { keys } = value as { keys?: readonly unknown[] };
  if (keys === undefined) throw bad("the file", 'must have "keys", a list of keys');
  for (const [index, key] of keys.entries()) {
    requireForms(key, keyForms, `keys[${index}]`);
    for (const [at, alias] of ((key as SeedKey).aliases ?? []).entries()) {
      const where = `keys[${index}].aliases[${at}]`;
      if (typeof alias === "string") continue;
      requireForms(alias, aliasForms, where);
      if (alias.name === undefined) throw bad(where, "must have a name");
    }
  }
  return value as Seeds;
}

/** `"$schema"` is for editors. */
const withoutSchema = (value: unknown): unknown => {
  if (!isObject(value)) return value;
  const { $schema: _, ...rest } = value;
  return rest;
};

/** Seeds from a file; the files of private keys are named relative to its folder. Throws EmulatorError INVALID_SEEDS. */
export function readSeedFile(path: string): Seeds {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw bad(path, `cannot be read as JSON: ${(cause as Error).message.split("\n", 1)[0]}`, cause);
  }
  const { keys } = checkSeeds(withoutSchema(value));
  const folder = dirname(path);
  return {
    keys: keys.map((key) =>
      key.privateKeyFile === undefined ? key : { ...key, privateKeyFile: resolve(folder, key.privateKeyFile) },
    ),
  };
}
