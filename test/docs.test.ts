/** What the documents say of the code. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { awsKmsSettingNames } from "../src/plugin/aws-kms/settings.ts";
import { kmsSettingNames } from "../src/plugin/kms/settings.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");

const markdown = (folder: string): string[] =>
  readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return ["node_modules", "dist", ".git"].includes(entry.name) ? [] : markdown(path);
    return entry.name.endsWith(".md") ? [path] : [];
  });

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

  it("links between files lead somewhere", () => {
    const broken = markdown(".").flatMap((path) =>
      [...read(path).matchAll(/\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)/g)]
        .map(([, target]) => join(dirname(path), target ?? ""))
        .filter((target) => !existsSync(join(root, target)))
        .map((target) => `${path}: ${target}`),
    );
    assert.deepEqual(broken, []);
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
