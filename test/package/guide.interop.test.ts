/**
 * docs/plugin-guide.md, followed word for word in an empty folder that has nothing but the packed library: npm installs what
 * the project names, from its registry. The plugin that comes of it is loaded by a Go host made with SPIRE's own SDK.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { buildGoHost, failedSteps, GoUnavailable, newestGoPlugin } from "../interop/go-host/go-host.ts";
import { packLibraries, root } from "./installed-libraries.ts";

type Step = { readonly run: string } | { readonly file: string; readonly text: string };

/** Shell blocks are run; a block after a line that ends with a file's name and a colon is that file. */
function stepsOf(guide: string): Step[] {
  const blocks = guide.matchAll(/([^\n]*)\n\n```(\w+)\n([\s\S]*?)```/g);
  return [...blocks].flatMap(([, before = "", language = "", text = ""]): Step[] => {
    if (language === "sh") return [{ run: text }];
    const [, file] = /`([\w./-]+)`:$/.exec(before) ?? [];
    return file === undefined ? [] : [{ file, text }];
  });
}

const isOffline = () => spawnSync("npm", ["ping", "--fetch-retries=0"], { stdio: "ignore" }).status !== 0;

/** `npx spire-plugin-sdk` as it is once the package is published: here it, and what the project names, is the tarball. */
function writeNpx(folder: string, tarball: string): string {
  const bin = join(folder, ".bin");
  mkdirSync(bin);
  const npx = execFileSync("sh", ["-c", "command -v npx"], { encoding: "utf8" }).trim();
  const text = `#!/bin/sh\nshift\nexec ${npx} --yes --package=${tarball} spire-plugin-sdk "$@" --sdk ${tarball}\n`;
  writeFileSync(join(bin, "npx"), text);
  chmodSync(join(bin, "npx"), 0o755);
  return bin;
}

function follow(steps: readonly Step[], folder: string, tarball: string): string {
  const env = {
    ...process.env,
    PATH: `${writeNpx(folder, tarball)}:${process.env.PATH}`,
    npm_config_audit: "false",
    npm_config_fund: "false",
    npm_config_prefer_offline: "true",
  };
  let cwd = folder;
  for (const step of steps) {
    if ("file" in step) {
      mkdirSync(dirname(join(cwd, step.file)), { recursive: true });
      writeFileSync(join(cwd, step.file), step.text);
      continue;
    }
    const script = `set -e\n${step.run}\npwd > ${join(folder, ".cwd")}`;
    const { status, stdout, stderr } = spawnSync("sh", ["-c", script], { cwd, env, encoding: "utf8" });
    assert.equal(status, 0, `${step.run}\n${stdout}\n${stderr}`);
    cwd = readFileSync(join(folder, ".cwd"), "utf8").trim();
  }
  return cwd;
}

describe("the guide for authors of plugins, followed in an empty folder", { timeout: 900_000 }, () => {
  it("ends with a plugin that a host made with SPIRE's SDK loads", async (t) => {
    if (isOffline()) {
      t.skip("npm's registry cannot be reached");
      return;
    }
    const steps = stepsOf(readFileSync(join(root, "docs/plugin-guide.md"), "utf8"));
    assert.ok(steps.filter((step) => "run" in step).length >= 4 && steps.filter((step) => "file" in step).length === 3);
    const { folder: packed, tarballs } = packLibraries();
    const folder = mkdtempSync(join(tmpdir(), "guide-"));
    t.after(() => {
      for (const one of [packed, folder]) rmSync(one, { recursive: true, force: true });
    });
    const project = follow(steps, folder, tarballs.get("spire-plugin-sdk") ?? "");
    const lock = readFileSync(join(project, "package-lock.json"), "utf8");
    assert.doesNotMatch(lock, /@aws-sdk\//);
    try {
      const host = await buildGoHost({ goPlugin: newestGoPlugin, race: true });
      const life = "ping,init,validate,configure,interrupt,deinit,shutdown";
      const plugin = [
        "-plugin",
        join(project, "dist/team_attestor"),
        "-name",
        "team_attestor",
        "-type",
        "WorkloadAttestor",
      ];
      const report = await host.run(...plugin, "-data-file", join(project, "test/plugin_data.hcl"), "-steps", life);
      assert.deepEqual(failedSteps(report), []);
    } catch (error) {
      if (!(error instanceof GoUnavailable)) throw error;
      t.diagnostic(`not loaded by a Go host: ${error.message}`);
    }
  });
});
