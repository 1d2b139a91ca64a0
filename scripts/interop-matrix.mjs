// Runs the interop tests and writes what came of them to docs/interop.md: `npm run interop:matrix`. With files as arguments
// it runs those alone, and leaves the other suites on the page as they are.
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

const versionOf = (command, ...args) => {
  try {
    return execFileSync(command, args, { encoding: "utf8" }).split("\n")[0];
  } catch {
    return `${command}: not on this machine`;
  }
};

/** Suites and their tests from TAP: `ok 1 - name # SKIP reason`, four spaces a level. */
function readTap(text) {
  const suites = [];
  let open = [];
  for (const line of text.split("\n")) {
    const [, indent, not, name] = /^( *)(not )?ok \d+ - (.*)$/.exec(line) ?? [];
    if (name === undefined) continue;
    const [title, skip] = name.replaceAll("\\#", "\u0000").split(/ # SKIP ?/);
    const entry = {
      title: title.replaceAll("\u0000", "#"),
      result: not ? "FAILED" : skip === undefined ? "passed" : `skipped: ${skip}`,
    };
    const level = indent.length / 4;
    if (level === 0) {
      suites.push({ title: entry.title, tests: open });
      open = [];
    } else if (level === 1) open.push(entry);
  }
  return suites;
}

const cell = (text) => text.replaceAll("|", "\\|").replaceAll("\\\\", "\\");

const page = `${root}/docs/interop.md`;
const files = process.argv.slice(2);
const { stdout, status } = spawnSync(process.execPath, ["scripts/test.mjs", "--interop", ...files], {
  cwd: root,
  encoding: "utf8",
  maxBuffer: 1 << 28,
  env: { ...process.env, TEST_REPORTER: "tap" },
});
const suites = readTap(stdout);
const sections = suites.map(({ title, tests }) => [
  title,
  ["| feature | result |", "| --- | --- |", ...tests.map((test) => `| ${cell(test.title)} | ${cell(test.result)} |`)],
]);

/** The suites on the page, in its order, with new ones after them. */
function merged() {
  const [, ...old] = readFileSync(page, "utf8").split("\n## ");
  const former = old.map((text) => [text.split("\n", 1)[0], text.split("\n").filter((line) => line.startsWith("|"))]);
  return [...new Map([...former, ...sections])];
}

const lines = [
  "# Met with software that was not written here",
  "",
  "Made by `npm run interop:matrix`, which runs the tests named `*.interop.test.ts`; `.ci/run` runs the same tests for every change.",
  "",
  `Last run: Node ${process.versions.node}; ${versionOf("go", "version")}; ${versionOf("openssl", "version")}; ${versionOf("python3", "--version")}.`,
  ...(files.length > 0 ? merged() : sections).flatMap(([title, table]) => ["", `## ${title}`, "", ...table]),
  "",
];
writeFileSync(page, lines.join("\n"));
console.log(
  `docs/interop.md: ${suites.length} suites, ${suites.reduce((sum, { tests }) => sum + tests.length, 0)} tests`,
);
process.exit(status ?? 1);
