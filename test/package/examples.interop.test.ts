/** The example with vitest, which comes from npm's registry. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const vitest = "vitest@3.2.4";

describe("examples", () => {
  it("kms-vitest passes under vitest", { timeout: 600_000 }, (t) => {
    if (spawnSync("npm", ["ping", "--fetch-retries=0"], { stdio: "ignore" }).status !== 0) {
      t.skip("npm's registry cannot be reached");
      return;
    }
    const folder = mkdtempSync(join(tmpdir(), "kms-vitest-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "project", private: true, type: "module" }));
    const options = ["--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"];
    execFileSync("npm", ["install", ...options, vitest], { cwd: folder, stdio: "pipe" });
    symlinkSync(root, join(folder, "node_modules/spire-aws-kms"), "junction");
    copyFileSync(join(root, "examples/kms-vitest/keys.test.mjs"), join(folder, "keys.test.mjs"));
    const program = join(folder, "node_modules/vitest/vitest.mjs");
    const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
    const env = { ...inherited, CI: "1", NO_COLOR: "1" };
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, "run"], {
      cwd: folder,
      encoding: "utf8",
      env,
    });
    assert.equal(status, 0, `${stdout}${stderr}`);
    assert.match(stdout, /Tests\s+2 passed/);
  });
});
