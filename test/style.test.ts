/** The style of src/ that no linter rule can hold. What a linter can hold stands in biome.json. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const source = fileURLToPath(new URL("../src", import.meta.url));

/** Every rule, by its name. Each room keeps each of them. */
const rules = {
  "opening comment": (room) => opensWithoutComment(room, false),
  "opening comment of tests": (room) => opensWithoutComment(room, true),
  "error codes": oddErrorCodes,
  readme: missingInReadme,
} as const satisfies Record<string, (room: Room) => readonly string[]>;

/** A folder of src/. */
interface Room {
  readonly name: string;
  readonly files: readonly { readonly path: string; readonly text: string }[];
  /** Folders directly in it. */
  readonly folders: readonly string[];
}

function readRoom(name: string): Room {
  const entries = readdirSync(join(source, name), { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => ({
      path: relative(source, file).split(sep).join("/"),
      text: readFileSync(file, "utf8"),
    }));
  const folders = readdirSync(join(source, name), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return { name, files, folders: folders.map((folder) => folder.name) };
}

/** Generated code is as the generator writes it. */
const rooms = readdirSync(source, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== "gen")
  .map((entry) => readRoom(entry.name));

/** A file says what it is for before anything else. */
function opensWithoutComment({ files }: Room, areTests: boolean): string[] {
  return files
    .filter(({ path, text }) => path.endsWith(".test.ts") === areTests && !text.startsWith("/**"))
    .map(({ path }) => path);
}

/** What a type of error codes is made of, and the types of members named `code`. */
function errorCodesIn(text: string): string[] {
  const unions = text.matchAll(/^(?:export )?type \w*ErrorCode\w* =([^;]*);/gm);
  const members = text.matchAll(/^\s*readonly code: ("[^;]*);/gm);
  return [...unions, ...members].flatMap(([, codes = ""]) =>
    [...codes.matchAll(/"([^"]*)"/g)].map(([, code]) => code ?? ""),
  );
}

/** Codes that programs compare are written in one way. */
function oddErrorCodes({ files }: Room): string[] {
  return files.flatMap(({ path, text }) =>
    errorCodesIn(text)
      .filter((code) => !/^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$/.test(code))
      .map((code) => `${path}: ${code}`),
  );
}

/** A room's README says what belongs there, and in each of its folders. */
function missingInReadme({ name, folders }: Room): string[] {
  const file = join(source, name, "README.md");
  if (!existsSync(file)) return [`${name} has no README.md`];
  const text = readFileSync(file, "utf8");
  return folders.filter((folder) => !text.includes(`\`${folder}/`)).map((folder) => `${name}/README.md: ${folder}/`);
}

const ruleNames = Object.keys(rules) as (keyof typeof rules)[];

describe("style", () => {
  for (const room of rooms) {
    for (const rule of ruleNames) {
      it(`${room.name} keeps to it: ${rule}`, () => assert.deepEqual(rules[rule](room), []));
    }
  }

  it("has rooms, files and error codes to look at", () => {
    assert.ok(rooms.length >= 8);
    assert.ok(rooms.every(({ files }) => files.length > 0));
    const codes = rooms.flatMap(({ files }) => files.flatMap(({ text }) => errorCodesIn(text)));
    assert.ok(codes.includes("WRONG_TYPE") && codes.includes("START_TIMEOUT") && codes.length > 40, `${codes.length}`);
  });
});

describe("the reader of error codes", () => {
  it("finds them in unions over several lines and in members", () => {
    const text =
      'export type XErrorCode =\n  | "A_B"\n  | "c";\nclass E {\n  readonly code: "d" | "E";\n  readonly other: "f";\n}';
    assert.deepEqual(errorCodesIn(text), ["A_B", "c", "d", "E"]);
  });
});
