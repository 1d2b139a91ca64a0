/** The demonstration where a person looks at it: colour, progress, width, Ctrl-C, a reader that stops, and no npm ci before. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { hasTerminals, onTerminal } from "./pseudo-terminal.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const command = join(root, "dist/bin/spire-aws-kms");
const needsTerminal = hasTerminals ? {} : { skip: "needs Python 3 with pty" };

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const colours = /\u001b\[\d+m/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const sequences = /\u001b\[[\d;]*[A-Za-z]/g;

describe("the demonstration", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "demo-terminal-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const env = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => {
    const { NO_COLOR: _, FORCE_COLOR: __, ...rest } = process.env;
    return { ...rest, TMPDIR: folder, ...more };
  };

  it(
    "on a terminal: colour, progress that leaves no trace, and lines of at most 100 columns",
    needsTerminal,
    async () => {
      const { code, shown } = await onTerminal([command, "demo"], env());
      assert.equal(code, 0, shown);
      assert.match(shown, colours);
      assert.match(shown, /\[#+-+\] +\d+ % {2}making JWT-Signer-B/);
      // What stands at the end of each line, once the terminal has erased what was to be erased.
      const lines = shown
        .split("\r\n")
        .map((line) => (line.split("\u001b[2K").at(-1) ?? "").replace(sequences, "").replaceAll("\r", ""));
      const table = lines.slice(lines.indexOf("In KMS now"), lines.indexOf("What next"));
      assert.ok(table.length > 6);
      assert.deepEqual(
        table.filter((line) => line.length > 100),
        [],
      );
      assert.ok(
        lines.every((line) => !line.includes(" %  ")),
        "progress has been erased at the end",
      );
      assert.match(shown, /What next\S*\r\n.*docs\/install\.md/);
      assert.deepEqual(readdirSync(folder), []);
    },
  );

  for (const [title, more] of [
    ["NO_COLOR", { NO_COLOR: "1" }],
    ["TERM=dumb", { TERM: "dumb" }],
    ["FORCE_COLOR=0", { FORCE_COLOR: "0" }],
  ] as const) {
    it(`on a terminal with ${title}: no colour`, needsTerminal, async () => {
      const { shown } = await onTerminal([command, "demo", "--plugin", "/bin/false"], env(more));
      assert.match(shown, /FAIL the demonstration broke off/);
      assert.doesNotMatch(shown, colours);
    });
  }

  it("elsewhere: no colour, unless FORCE_COLOR asks for it", () => {
    const run = (more: NodeJS.ProcessEnv) =>
      spawnSync(command, ["demo", "--plugin", "/bin/false"], { encoding: "utf8", env: env(more) });
    for (const more of [{}, { NO_COLOR: "1" }]) {
      const { stdout, stderr } = run(more);
      assert.ok(!stdout.includes("\u001b"));
      assert.equal(stderr, "");
    }
    assert.match(run({ FORCE_COLOR: "1" }).stdout, colours);
  });

  it("npm start ends with what it started at Ctrl-C: nothing is left, no stack", needsTerminal, async () => {
    const started = [process.execPath, join(root, "scripts/start.mjs")];
    const typed = { when: "is an ec-p256 key", keys: "\u0003" };
    const { code, shown } = await onTerminal(started, env(), typed);
    assert.equal(code, 130, shown);
    assert.doesNotMatch(shown, /^\s+at /m);
    assert.deepEqual(readdirSync(folder), [], "it ends after what it started");
  });

  it("demo | head: nothing is left, no stack", () => {
    const { status, stdout, stderr } = spawnSync("/bin/sh", ["-c", `"${command}" demo | head -n 3`], {
      encoding: "utf8",
      env: env(),
    });
    assert.equal(status, 0);
    assert.equal(stdout.split("\n").length, 4);
    assert.equal(stderr, "");
    // The shell waits for the last command of a pipe only.
    for (let tries = 0; tries < 200 && readdirSync(folder).length > 0; tries++) spawnSync("sleep", ["0.1"]);
    assert.deepEqual(readdirSync(folder), []);
  });

  it("npm start before npm ci says so, in a line and a hint", () => {
    for (const name of ["scripts", "src", "package.json", "package-lock.json"]) {
      cpSync(join(root, name), join(folder, name), { recursive: true });
    }
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, "scripts/start.mjs")], {
      encoding: "utf8",
      env: env(),
    });
    assert.equal(status, 1);
    assert.equal(stdout, "");
    assert.match(stderr, /which are not installed: run `npm ci`\.\nhint: /);
    assert.doesNotMatch(stderr, /^\s+at |ERR_MODULE/m);
  });
});
