// Builds dist/: the executables, each ONE self-contained file (plugin_checksum covers only the file that is started),
// and dist/lib, the importable modules with their type declarations.
//
//   node scripts/build.mjs               build everything
//   node scripts/build.mjs --if-needed   only if a source is newer than what is built
import "./node-floor.mjs";
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
import { thirdPartyLicences } from "./third-party-licences.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
if (!existsSync(join(root, "node_modules/esbuild"))) {
  console.error("The build needs the development tools, which are not installed: run `npm ci`.");
  console.error(
    "hint: npm leaves them out with --omit=dev and where NODE_ENV is production; `npm ci --include=dev` has them.",
  );
  process.exit(1);
}
const { executables } = await import("./executables.mjs");
const { version, engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

const newest = (path) => {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return readdirSync(path).reduce((time, name) => Math.max(time, newest(join(path, name))), 0);
};

function isFresh() {
  const outputs = Object.keys(executables).map((name) => join(root, "dist/bin", name));
  if (!outputs.every((path) => existsSync(path))) return false;
  const sources = ["src", "scripts", "package.json", "package-lock.json"].map((name) => join(root, name));
  return Math.max(...sources.map(newest)) < Math.min(...outputs.map((path) => statSync(path).mtimeMs));
}

async function buildExecutable(name, { entry, toText }, inputs) {
  const text = await toText({ root, version, engines: engines.node, inputs }, entry, name);
  // Renamed into place: a running plugin's file is never changed under it.
  const path = join(root, "dist/bin", name);
  writeFileSync(`${path}.new`, text);
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
  // Whatever package.json lies above says, old Node.js reads no file without extension as an ES module.
  writeFileSync(join(root, "dist/bin/package.json"), `{ "type": "commonjs" }\n`);
  const inputs = new Set();
  await Promise.all(Object.entries(executables).map(([name, executable]) => buildExecutable(name, executable, inputs)));
  writeFileSync(join(root, "dist/bin/THIRD-PARTY-LICENSES.txt"), thirdPartyLicences(root, inputs));
}
