// Builds dist/: the executables, each ONE self-contained file (plugin_checksum covers only the file that is started),
// and dist/lib, the importable modules with their type declarations.
//
//   node scripts/build.mjs               build everything
//   node scripts/build.mjs --if-needed   only if a source is newer than what is built
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

const executables = {
  aws_kms: "src/plugin/aws-kms-main.ts",
  kms: "src/plugin/kms-main.ts",
  "spire-aws-kms": "src/cli/main.ts",
};

// The file must run wherever an operator copies it: under a package.json that says "module" Node reads it as ESM, where
// `require` is not defined, anywhere else as CommonJS.
const banner = `#!/usr/bin/env node
// spire-aws-kms ${version}. Built from source; do not edit: plugin_checksum covers this file.
(function (require) {`;
const footer = `})(typeof require === "function" ? require : process.getBuiltinModule("node:module").createRequire(process.execPath));`;

const newest = (path) => {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return readdirSync(path).reduce((time, name) => Math.max(time, newest(join(path, name))), 0);
};

function isFresh() {
  const outputs = Object.keys(executables).map((name) => join(root, "dist/bin", name));
  if (!outputs.every((path) => existsSync(path))) return false;
  const sources = ["src", "scripts/build.mjs", "package.json", "package-lock.json"].map((name) => join(root, name));
  return Math.max(...sources.map(newest)) < Math.min(...outputs.map((path) => statSync(path).mtimeMs));
}

async function buildExecutable(name, entry) {
  const result = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    keepNames: true,
    write: false,
    legalComments: "none",
    logLevel: "warning",
    define: { SPIRE_AWS_KMS_VERSION: JSON.stringify(version) },
    banner: { js: banner },
    footer: { js: footer },
  });
  // Renamed into place: a running plugin's file is never changed under it.
  const path = join(root, "dist/bin", name);
  writeFileSync(`${path}.new`, result.outputFiles[0].contents);
  chmodSync(`${path}.new`, 0o755);
  renameSync(`${path}.new`, path);
}

function buildLibrary() {
  rmSync(join(root, "dist/lib"), { recursive: true, force: true });
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  execFileSync(process.execPath, [tsc, "--project", "tsconfig.lib.json"], { cwd: root, stdio: "inherit" });
}

if (!(process.argv.includes("--if-needed") && isFresh())) {
  mkdirSync(join(root, "dist/bin"), { recursive: true });
  buildLibrary();
  await Promise.all(Object.entries(executables).map(([name, entry]) => buildExecutable(name, entry)));
}
