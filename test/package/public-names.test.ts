/**
 * The names that each subpath exports, against `public-names.json`. A name that disappears breaks builds of others, so a
 * change here is a line in CHANGELOG.md. `UPDATE_PUBLIC_NAMES=1` writes the file anew.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { readManifest, root } from "./installed-libraries.ts";

const snapshot = join(root, "test/package/public-names.json");

/** `name` for values, `type Name` for types, as the room's index lists them. */
function namesIn(index: string): string[] {
  const lists = readFileSync(join(root, index), "utf8").matchAll(/^export (type )?\{([^}]*)\}/gm);
  return [...lists]
    .flatMap(([, type = "", list = ""]) => list.split(",").map((entry) => `${type}${entry.trim()}`))
    .filter((entry) => entry.trim() !== "" && entry.trim() !== "type")
    .map((entry) => entry.replace(/^(type )?.* as /, "$1"))
    .sort();
}

const subpaths = Object.keys(readManifest(root).exports ?? {}).filter((subpath) => subpath !== "./package.json");

describe("the public names", () => {
  const names = Object.fromEntries(subpaths.map((subpath) => [subpath, namesIn(`src/${subpath}/index.ts`)]));
  if (process.env.UPDATE_PUBLIC_NAMES === "1") writeFileSync(snapshot, `${JSON.stringify(names, undefined, 2)}\n`);
  const known = JSON.parse(readFileSync(snapshot, "utf8")) as Readonly<Record<string, readonly string[]>>;

  it("stand under the known subpaths", () => assert.deepEqual(subpaths, Object.keys(known)));

  for (const subpath of subpaths) {
    it(`of ${subpath} are the known ones`, () => assert.deepEqual(names[subpath], known[subpath]));

    it(`of ${subpath} are there at run time if they are values`, async () => {
      const module = (await import(join(root, `src/${subpath}/index.ts`))) as object;
      const values = (names[subpath] ?? []).filter((name) => !name.startsWith("type "));
      assert.ok(values.length > 0);
      assert.deepEqual(Object.keys(module).sort(), values);
    });
  }
});
