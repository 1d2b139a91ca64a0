/** The documentation names every operation, flag, fault, option and test that there is, and no other. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { emulatorCommand } from "../../../src/cli/commands/emulator.ts";
import { createEngine, manualClock } from "../../../src/kms-emulator/index.ts";
import { operations } from "../../../src/kms-emulator/operations/index.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const text = readFileSync(join(root, "docs/kms-emulator.md"), "utf8");

/** The part under a heading. */
function section(heading: string): string {
  const start = text.indexOf(`\n${heading}\n`);
  assert.notEqual(start, -1, heading);
  const rest = text.slice(start + heading.length + 2);
  const end = rest.search(/\n## /);
  return end === -1 ? rest : rest.slice(0, end);
}

/** First cells of the table rows of a text. */
const firstCells = (part: string): string[] =>
  [...part.matchAll(/^\| +([^|]+?) +\|/gm)].map(([, cell]) => cell ?? "").filter((cell) => cell.startsWith("`"));

describe("docs/kms-emulator.md", () => {
  it("names every operation and no other", () => {
    const lists = [...section("## Operations").matchAll(/(?:^- [^:]+|(?:^|\s)(?:STS|IAM|Tagging)): ([A-Za-z, ]+)/gm)];
    const named = lists.flatMap(([, list = ""]) => list.trim().split(/,\s+/));
    assert.deepEqual(named.sort(), [...operations.keys()].sort());
  });

  it("names every flag of the command and no other", () => {
    const named = firstCells(section("## Start it")).map((cell) => /--[a-z-]+/.exec(cell)?.[0]);
    const flags = emulatorCommand().options.map((option) => option.long);
    assert.deepEqual(named.sort(), flags.sort());
  });

  it("names every kind of fault and no other", () => {
    const source = readFileSync(join(root, "src/kms-emulator/drills/faults.ts"), "utf8");
    const kinds = [...source.matchAll(/readonly kind: "([a-z0-9-]+)"/g)].map(([, kind]) => `\`${kind}\``);
    const table = section("## Control plane").split("`kind` says what happens:")[1] ?? "";
    assert.deepEqual(firstCells(table).sort(), kinds.sort());
  });

  it("names every option and no other", () => {
    const source = readFileSync(join(root, "src/kms-emulator/options/options.ts"), "utf8");
    const interfaces = source.slice(source.indexOf("export interface EngineOptions"));
    const options = [...interfaces.matchAll(/^ {2}readonly (\w+)\?:/gm)].map(([, name]) => name ?? "");
    const named = firstCells(section("## Options")).flatMap((cell) =>
      [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name),
    );
    const byFlagOnly = ["host", "port", "control"];
    assert.deepEqual(named.sort(), options.filter((name) => !byFlagOnly.includes(name)).sort());
  });

  it("names tests that exist", () => {
    const named = [...text.matchAll(/`([\w./-]+\.test\.ts)`/g)].map(([, path = ""]) => path);
    assert.ok(named.length > 20);
    // A name without a path is a file anywhere below test/emulator.
    const below = readdirSync(join(root, "test/emulator"), { recursive: true, encoding: "utf8" }).map((path) =>
      basename(path),
    );
    for (const path of named) assert.ok(path.includes("/") ? existsSync(join(root, path)) : below.includes(path), path);
  });

  it("shows TypeScript that compiles", { timeout: 600_000 }, (t) => {
    const blocks = [...text.matchAll(/^```ts\n(.*?)^```/gms)].map(([, block = ""]) => block);
    assert.ok(blocks.length >= 2);
    // Below the root, so that its packages are found.
    const folder = mkdtempSync(join(root, "node_modules", ".documentation-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    for (const [index, block] of blocks.entries()) writeFileSync(join(folder, `block-${index}.ts`), block);
    const paths = { "spire-aws-kms/kms-emulator": ["../../src/kms-emulator/index.ts"] };
    const compilerOptions = { noEmit: true, paths, rootDir: "../..", types: ["node"] };
    const config = { extends: "../../tsconfig.json", compilerOptions, include: ["*.ts"], exclude: [] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const { status, stdout } = spawnSync(process.execPath, [tsc, "--project", folder], { encoding: "utf8" });
    assert.equal(stdout, "");
    assert.equal(status, 0);
  });

  it("shows an engine that does what it says", async () => {
    const { control } = createEngine({ clock: manualClock(new Date("2026-01-01")) });
    const { KeyMetadata } = await control.call("CreateKey", { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" });
    await control.call("ScheduleKeyDeletion", { KeyId: KeyMetadata.KeyId, PendingWindowInDays: 7 });
    control.advance(7 * 24 * 60 * 60 * 1000);
    await assert.rejects(control.call("DescribeKey", { KeyId: KeyMetadata.KeyId }), /does not exist/);
  });
});
