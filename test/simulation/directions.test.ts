/** The simulated world stands by itself, and who judges in it shares nothing with who is judged. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const world = fileURLToPath(new URL(".", import.meta.url));

/** Imports of the files of a folder: what is imported, and whether it is there at run time. */
const importsOf = (folder: string) =>
  readdirSync(`${world}${folder}`, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .flatMap(({ name }) => {
      const text = readFileSync(`${world}${folder}/${name}`, "utf8");
      const found = text.matchAll(/^(?:import|export)\s+(type\s)?(?:[^;"]*?\sfrom\s+)?"([^"]+)"/gm);
      return [...found].map(([, type, target = ""]) => ({ name, target, isTypeOnly: type !== undefined }));
    });

describe("the simulated world", () => {
  it("imports nothing of the suites that use it", () => {
    const all = ["", "oracle", "histories"].flatMap(importsOf);
    assert.ok(all.length > 40, "the reader of imports finds them");
    assert.deepEqual(
      all.filter(({ target }) => /\/(chaos|upkeep|migrate|plugin)\//.test(target.replace("/src/plugin/", "/src/"))),
      [],
    );
  });

  it("has an oracle that runs none of the plugin's code", () => {
    // What it imports of the world itself runs none either: the account and the operator know KMS only.
    const allowed = new Set(["../operator.ts", "../simulated-account.ts"]);
    const atRunTime = importsOf("oracle").filter(({ target, isTypeOnly }) => !isTypeOnly && !target.startsWith("./"));
    assert.deepEqual(
      atRunTime.filter(({ target }) => !allowed.has(target) && !target.startsWith("node:")),
      [],
    );
    const behind = ["operator.ts", "simulated-account.ts"];
    const sources = importsOf("").filter(({ name, target }) => behind.includes(name) && target.includes("/src/"));
    assert.deepEqual([...new Set(sources.map(({ target }) => target))], ["../../src/kms-emulator/index.ts"]);
  });

  it("knows the key manager in one place", () => {
    const modules = /\/src\/key-manager\/(?!ports\.ts|telemetry\.ts)/;
    const all = ["", "oracle", "histories"].flatMap(importsOf).filter(({ target }) => modules.test(target));
    assert.deepEqual([...new Set(all.map(({ name }) => name))], ["simulated-server.ts"]);
  });
});
