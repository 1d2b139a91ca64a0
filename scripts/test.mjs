// Runs the tests with Node's own runner: `node scripts/test.mjs [--interop | --long] [file …]`.
// Node 20 takes no globs, so the files are listed here. Interop tests (`*.interop.test.ts`) need tools that a fresh
// machine may not have, and run only when asked for. `--long`: random histories by the thousand, without a limit of time.
import "./node-floor.mjs";
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const interop = process.argv.includes("--interop");
const long = process.argv.includes("--long");
const named = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));

const isTest = (name) => name.endsWith(".test.ts") && name.endsWith(".interop.test.ts") === interop;
const list = (folder) =>
  readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? list(path) : isTest(entry.name) ? [path] : [];
  });

const isHistories = (file) => /[\\/]histories[\w-]*\.test\.ts$/.test(file);
const all = () => ["src", "test"].flatMap(list).sort();
const files = named.length > 0 ? named : long ? all().filter(isHistories) : all();
if (files.length === 0) {
  console.error("no test files found");
  process.exit(1);
}
// A test that hangs fails by itself (the option came with 20.11). In Node 20 the limit is that of a whole file, so it is
// long: a slow machine makes tests slow, never red.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const timeout = major > 20 || minor >= 11 ? [`--test-timeout=${long ? 1_800_000 : 900_000}`] : [];
const reporter = process.stdout.isTTY ? "spec" : "tap";
const { status } = spawnSync(
  process.execPath,
  [
    "--import",
    "tsx",
    "--test",
    "--test-concurrency=2",
    ...timeout,
    `--test-reporter=${process.env.TEST_REPORTER ?? reporter}`,
    "--test-reporter-destination=stdout",
    ...files,
  ],
  {
    cwd: root,
    stdio: "inherit",
    timeout: 90 * 60_000,
    env: {
      ...(long ? { CHAOS_HISTORIES: "2000", UPKEEP_FACTOR: "1", LIVES: "500", EMULATOR_MODEL_STEPS: "100000" } : {}),
      ...process.env,
    },
  },
);
process.exit(status ?? 1);
