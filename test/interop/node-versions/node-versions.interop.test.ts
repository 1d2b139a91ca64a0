/**
 * The demonstration and the suites that depend on what Node.js does (processes, sockets, cryptography, parsing) on other
 * lines of it, taken from the npm registry. `NODE_SUITES=all` runs everything, which takes minutes a line.
 *
 * `NODE_VERSIONS=24,26.1.0` chooses others than the lines that users run and the floors, and runs the suites on each.
 */
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { nodeFromNpm } from "./npm-node.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const [running] = process.versions.node.split(".");
/** The two floors of `engines` in package.json, and the newest release of each line that users run. */
const lines = (process.env.NODE_VERSIONS?.split(",") ?? ["20.19.0", "22.12.0", "20", "22", "24", "26"]).filter(
  (line) => line !== running,
);

/** Suites take minutes a line: without being asked for others, they run on the lowest floor and on the newest line of long support. */
const runsSuites = (line: string): boolean =>
  process.env.NODE_VERSIONS !== undefined || ["20.19.0", "24"].includes(line);

const suites = [
  /^src\//,
  /^test\/go-plugin\//,
  /^test\/kms\/conformance/,
  /^test\/plugin\/(keys\/conformance|process\/)/,
];

const testFiles = (folder: string): string[] =>
  readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return testFiles(path);
    return entry.name.endsWith(".test.ts") && !entry.name.endsWith(".interop.test.ts") ? [path] : [];
  });

/** What `scripts/test.mjs` is asked to run; nothing means everything. */
const chosenFiles = (): string[] =>
  process.env.NODE_SUITES === "all"
    ? []
    : ["src", "test"].flatMap(testFiles).filter((path) => suites.some((suite) => suite.test(path)));

interface Run {
  readonly code: number | null;
  readonly output: string;
}

/** Runs a script of the repository with that Node, which is also the one that the plugins' first line finds. */
function run(node: string, args: readonly string[], signal: AbortSignal): Promise<Run> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const path = [dirname(node), process.env.PATH ?? ""].join(delimiter);
  const options = { cwd: root, env: { ...env, PATH: path }, signal, maxBuffer: 1 << 28 };
  return new Promise((resolve) => {
    const child = execFile(node, args, options, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode, output: stdout + stderr });
    });
  });
}

describe("other lines of Node.js", () => {
  it("among them are the floors that package.json names", () => {
    const { engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { engines: { node: string } };
    assert.equal(engines.node, "^20.19.0 || >=22.12.0");
  });

  for (const line of lines) {
    it(`Node ${line}: demonstration${runsSuites(line) ? " and suites" : ""}`, { timeout: 1_800_000 }, async (test) => {
      const node = nodeFromNpm(line, test);
      if (node === undefined) return;
      const version = execFileSync(node, ["--version"], { encoding: "utf8" }).trim();
      assert.match(version, new RegExp(`^v${line}(?:\\.|$)`));
      const demo = await run(node, ["dist/bin/spire-aws-kms", "demo"], test.signal);
      assert.equal(demo.code, 0, demo.output.slice(-2_000));
      if (!runsSuites(line)) return;
      const suite = await run(node, ["scripts/test.mjs", ...chosenFiles()], test.signal);
      const [, passed = "0"] = /^# pass (\d+)$/m.exec(suite.output) ?? [];
      const failures = suite.output.split("\n").filter((text) => /^\s*not ok/.test(text));
      assert.equal(suite.code, 0, `${version}:\n${failures.join("\n")}`);
      assert.ok(Number(passed) > 100, `${version} ran ${passed} tests`);
      test.diagnostic(`${version}: ${passed} tests passed, ${demo.output.trim().split("\n").at(-1)}`);
    });
  }
});
