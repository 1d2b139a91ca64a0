/** What the documents say of the code. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { parseHcl, toPlainObject } from "../src/hcl/index.ts";
import { awsKmsSettingNames } from "../src/plugin/aws-kms/settings.ts";
import { kmsSettingNames } from "../src/plugin/kms/settings.ts";
import {
  anchorOf,
  citationsIn,
  filesNamedIn,
  linksIn,
  readProse,
  repositoryFiles,
  sectionsOf,
  treeIn,
} from "./citations.ts";
import { probes } from "./interop/moto/probes.ts";
// The tests of docs/monitoring.md.
import "./monitoring/documents.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");

const files = repositoryFiles();
// The change log also speaks of what is no longer there.
const prose = readProse(files.filter((path) => path !== "CHANGELOG.md"));

/** Names in the first column of a document's tables. */
const firstCells = (text: string): string[] =>
  [...text.matchAll(/^\| ((?:`[a-z_]+`(?:, | \/ )?)+) \|/gm)].flatMap(([, cell]) =>
    [...(cell ?? "").matchAll(/`([a-z_]+)`/g)].map(([, name]) => name ?? ""),
  );

describe("documents", () => {
  it("configuration.md names every setting of aws_kms and no other", () => {
    assert.deepEqual(firstCells(read("docs/configuration.md")).sort(), [...awsKmsSettingNames].sort());
  });

  it("kms-plugin.md names every setting of kms and no other", () => {
    assert.deepEqual(firstCells(read("docs/kms-plugin.md")).sort(), [...kmsSettingNames].sort());
  });

  it("the README has a whole server.conf, with the plugin in it", () => {
    const text = /```hcl\n(server \{[\s\S]*?)```/.exec(read("README.md"))?.[1] ?? "";
    const file = toPlainObject(parseHcl(text));
    assert.deepEqual(Object.keys(file), ["server", "plugins"]);
    assert.match(text, /KeyManager "aws_kms" \{\s+plugin_cmd = .+\s+plugin_checksum = .+\s+plugin_data \{/);
    const names = [...(/plugin_data \{\n([^}]*)\}\s*\}\s*\}\s*$/.exec(text)?.[1]?.matchAll(/(\w+) =/g) ?? [])];
    assert.deepEqual(
      names.map(([, name]) => name).filter((name) => !awsKmsSettingNames.includes(name ?? "")),
      [],
    );
    assert.equal(names.length, 2);
  });

  it("links lead to files and sections that exist", () => {
    const links = readProse(files).flatMap(linksIn);
    const broken = links.filter(({ page, anchor }) => {
      if (!existsSync(join(root, page))) return true;
      return anchor !== undefined && !sectionsOf(page).map(anchorOf).includes(anchor);
    });
    assert.ok(links.length > 30, "the reader of links finds them");
    assert.deepEqual(broken, []);
  });

  it("pages and sections that comments and documents cite exist", () => {
    const citations = prose.flatMap(citationsIn);
    const broken = citations.filter(({ page, section }) => {
      if (!existsSync(join(root, page))) return true;
      return section !== undefined && !sectionsOf(page).includes(section);
    });
    assert.ok(
      citations.filter(({ section }) => section !== undefined).length > 25,
      "the reader of citations finds them",
    );
    assert.deepEqual(broken, []);
  });

  it("source files that comments and documents name exist", () => {
    const named = prose.flatMap((page) => filesNamedIn(page).map((name) => ({ from: page.path, name })));
    const broken = named.filter(({ name }) => !files.some((file) => file === name || file.endsWith(`/${name}`)));
    assert.ok(named.length > 100, "the reader of file names finds them");
    assert.deepEqual(broken, []);
  });

  it("npm scripts that documents, the workflow and .ci/run name exist", () => {
    const scriptsIn = (manifest: string) =>
      (JSON.parse(read(manifest)) as { readonly scripts: Readonly<Record<string, string>> }).scripts;
    const own = scriptsIn("package.json");
    // Projects that the SDK makes have scripts of their own.
    const ofProjects = scriptsIn("examples/systemd_unit/package.json");
    const isOfProjects = (path: string) => /^examples\/|^docs\/plugin-guide\.md$|\/templates\//.test(path);
    const named = files
      .filter((path) => /\.(?:md|ya?ml)$|^\.ci\/|^package\.json$/.test(path))
      .flatMap((path) =>
        [...read(path).matchAll(/npm run (?:--silent |-s )?([\w:-]+)/g)].map(([, name = ""]) => ({ path, name })),
      );
    assert.ok(named.length > 20);
    assert.deepEqual(
      named.filter(({ path, name }) => (isOfProjects(path) ? ofProjects : own)[name] === undefined),
      [],
    );
  });

  it("the workflow checks what .ci/run checks", () => {
    const commands = (path: string) =>
      [...read(path).matchAll(/npm (?:run (?:--silent )?(?:lint|typecheck|check:[\w:]+)|start|test)\b/g)].map(
        ([command]) => command.replace("--silent ", ""),
      );
    assert.deepEqual(new Set(commands(".github/workflows/ci.yml")), new Set(commands(".ci/run")));
    assert.match(read(".github/workflows/ci.yml"), /- run: \.ci\/run$/m);
  });

  it("architecture.md shows the folders of src/, two deep", () => {
    const folders = files.flatMap((file) => {
      const steps = file.split("/").slice(0, -1);
      return steps[0] === "src" ? [steps.slice(0, 2), steps.slice(0, 3)].map((path) => path.join("/")) : [];
    });
    // Generated code is not among the files that documents may speak of.
    const expected = new Set([...folders, "src/gen"]);
    assert.deepEqual(treeIn(read("docs/architecture.md")).sort(), [...expected].sort());
  });

  it("the comparison with moto has a row for each question", () => {
    const rows = [...read("docs/aws-kms-behaviour.md").matchAll(/^\| (.+?) \|/gm)].map(([, row]) => row);
    assert.deepEqual(
      probes.map(({ row }) => row).filter((row) => !rows.includes(row)),
      [],
    );
  });

  it("parity.md names tests that exist", () => {
    const named = [...read("docs/parity.md").matchAll(/`((?:src|test)\/[^`\s]+\.test\.ts)`/g)].map(
      ([, path]) => path ?? "",
    );
    assert.ok(named.length > 20);
    assert.deepEqual(
      named.filter((path) => !existsSync(join(root, path))),
      [],
    );
  });
});
