/** The libraries under names of their own: cut from dist/lib, complete with what they name as dependencies and no more. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { packLibraries, projectWith, readManifest, root, runIn } from "./installed-libraries.ts";
import { outputs, scripts } from "./scripts.ts";

const tsc = join(root, "node_modules/typescript/bin/tsc");
const dependenciesOfThePlugins = /^@aws-sdk\/|^@smithy\/|^valibot$|^commander$/;

describe("the packed libraries", () => {
  const remove: string[] = [];
  const projects = new Map<string, { readonly folder: string; readonly installed: readonly string[] }>();

  before(() => {
    const { folder, tarballs } = packLibraries();
    remove.push(folder);
    for (const [name, tarball] of tarballs) {
      const project = projectWith(name, tarball);
      remove.push(project.folder);
      projects.set(name, project);
    }
  });
  after(() => {
    for (const folder of remove) rmSync(folder, { recursive: true, force: true });
  });

  const projectOf = (name: string) => {
    const project = projects.get(name);
    assert.ok(project, `${name} was packed`);
    return project;
  };

  it("are these", () => assert.deepEqual([...projects.keys()].sort(), Object.keys(scripts).sort()));

  for (const [name, script] of Object.entries(scripts)) {
    it(`${name} works with its own dependencies alone`, () => {
      assert.equal(runIn(projectOf(name).folder, "script.mjs", script), outputs[name]);
    });

    it(`${name} brings nothing that only the plugins need`, () => {
      const { installed } = projectOf(name);
      assert.ok(installed.length > 1);
      assert.deepEqual(
        installed.filter((dependency) => dependenciesOfThePlugins.test(dependency)),
        [],
      );
    });

    it(`${name} can be had from CommonJS`, () => {
      const { folder } = projectOf(name);
      const count = (how: string) => `console.log(Object.keys(${how}).length > 3);`;
      const lazy = `(async () => { ${count(`await import("${name}")`)} })();`;
      assert.equal(runIn(folder, "lazy.cjs", lazy), "true\n");
      // Without a flag from Node 20.19 and 22.12 on.
      if (!("require_module" in process.features)) return;
      assert.equal(runIn(folder, "require.cjs", count(`require("${name}")`)), "true\n");
    });

    it(`${name} has types that need no skipLibCheck, under node16, nodenext and bundler`, () => {
      const { folder } = projectOf(name);
      const subpaths = Object.keys(readManifest(join(folder, "node_modules", name)).exports ?? {}).filter(
        (subpath) => subpath !== "./package.json",
      );
      const imports = subpaths.map((subpath, index) => `import * as module${index} from "${name}${subpath.slice(1)}";`);
      const uses = subpaths.map((_, index) => `export type All${index} = keyof typeof module${index};`);
      writeFileSync(join(folder, "types.ts"), [...imports, ...uses].join("\n"));
      const options = ["--noEmit", "--strict", "--target", "es2022", "--types", "node"];
      for (const resolution of [["nodenext"], ["node16"], ["preserve", "--moduleResolution", "bundler"]]) {
        const found = [...options, "--module", ...resolution, "types.ts"];
        execFileSync(process.execPath, [tsc, ...found], { cwd: folder, stdio: "pipe" });
      }
    });

    it(`${name} carries a README under its own name, and the licence`, () => {
      const folder = join(projectOf(name).folder, "node_modules", name);
      const readme = readFileSync(join(folder, "README.md"), "utf8");
      assert.ok(readme.includes(`from "${name}"`), "an example imports it");
      assert.doesNotMatch(readme, /from "spire-aws-kms\//);
      assert.match(readFileSync(join(folder, "LICENSE"), "utf8"), /Apache License/);
    });
  }

  it("together import what the root package names as dependencies, and nothing else", () => {
    const named = [...projects].flatMap(([name, { folder }]) =>
      Object.keys(readManifest(join(folder, "node_modules", name)).dependencies ?? {}),
    );
    assert.deepEqual([...new Set(named)].sort(), Object.keys(readManifest(root).dependencies ?? {}).sort());
  });
});
