/** The libraries installed by npm itself, from its registry, into an empty folder. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { packLibraries, runIn } from "./installed-libraries.ts";
import { outputs, scripts } from "./scripts.ts";

const isOffline = () => spawnSync("npm", ["ping", "--fetch-retries=0"], { stdio: "ignore" }).status !== 0;

describe("the packed libraries and npm", () => {
  for (const [name, script] of Object.entries(scripts)) {
    it(`install ${name} into an empty folder, without the AWS SDK`, { timeout: 300_000 }, (t) => {
      if (isOffline()) {
        t.skip("npm's registry cannot be reached");
        return;
      }
      const { folder: packed, tarballs } = packLibraries();
      const folder = mkdtempSync(join(tmpdir(), "npm-install-"));
      t.after(() => {
        for (const one of [packed, folder]) rmSync(one, { recursive: true, force: true });
      });
      writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "project", private: true }));
      const options = ["--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"];
      execFileSync("npm", ["install", ...options, tarballs.get(name) ?? ""], { cwd: folder, stdio: "pipe" });
      assert.equal(runIn(folder, "script.mjs", script), outputs[name]);
      const lock = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8")) as { packages: object };
      const installed = Object.keys(lock.packages);
      assert.ok(installed.includes(`node_modules/${name}`));
      assert.deepEqual(
        installed.filter((path) => path.includes("@aws-sdk/")),
        [],
      );
    });
  }
});
