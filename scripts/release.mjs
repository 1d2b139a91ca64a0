/**
 * Makes what a release holds, in dist/release (`npm run release:dry`), and publishes nothing: the script and standalone
 * executables, the folder for roots with nothing in them, npm's tarballs, SHA256SUMS, the SBOM, the licences of others
 * and the section of the change log.
 *
 *   node scripts/release.mjs [--arch x64,arm64]
 *
 * The folder for roots is made for this machine's architecture, since it takes the libraries of this machine.
 */
import "./node-floor.mjs";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  cpSync,
  createReadStream,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join, relative } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { changesOf } from "./changes.mjs";
import { executables } from "./executables.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const { name, version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const { values } = parseArgs({ options: { arch: { type: "string", default: "x64,arm64" } } });
const release = join(root, "dist/release");

function step(title, work) {
  console.log(`== ${title}`);
  return work();
}
const run = (command, ...args) =>
  execFileSync(command, args, {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
const script = (path, ...args) => run(process.execPath, join(root, "scripts", path), ...args);

/** The same bytes from the same files: no times, no names of users, an order of its own. */
function pack(folder, file) {
  const tar = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--mode=u=rwX,go=rX"];
  run("tar", ...tar, "--use-compress-program=gzip -n", "-C", folder, "-cf", join(release, file), ".");
}

async function sumOf(path) {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

const filesIn = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

rmSync(release, { recursive: true, force: true });
mkdirSync(join(release, "script"), { recursive: true });

step("script executables", () => {
  script("build.mjs");
  for (const file of [...Object.keys(executables), "THIRD-PARTY-LICENSES.txt"]) {
    copyFileSync(join(root, "dist/bin", file), join(release, "script", file));
  }
});
step(`standalone executables for ${values.arch}`, () =>
  script("standalone/build.mjs", "--arch", values.arch, "--out", release),
);
step("the folder for roots with nothing in them", () => {
  const from = join(release, `linux-${process.arch}`);
  script("standalone/scratch.mjs", "--from", from, "--out", join(release, `scratch-linux-${process.arch}`));
});
step("archives", () => {
  for (const entry of readdirSync(release)) pack(join(release, entry), `${name}-${version}-${entry}.tar.gz`);
});
step("npm's tarballs", () => {
  script("pack-libraries.mjs");
  run("npm", "pack", "--ignore-scripts", "--pack-destination", release);
  for (const file of readdirSync(join(root, "dist/packages")).filter((file) => file.endsWith(`-${version}.tgz`))) {
    cpSync(join(root, "dist/packages", file), join(release, file));
  }
});
step("SBOM, of the lock file: what is inside the executables are development dependencies", () => {
  const sbom = run("npm", "sbom", "--sbom-format", "cyclonedx", "--package-lock-only");
  writeFileSync(join(release, "sbom.cdx.json"), sbom);
});
step("change log", () =>
  writeFileSync(join(release, "CHANGES.md"), changesOf(readFileSync(join(root, "CHANGELOG.md"), "utf8"), version)),
);
await step("SHA256SUMS", async () => {
  const lines = [];
  for (const path of filesIn(release).sort()) lines.push(`${await sumOf(path)}  ${relative(release, path)}`);
  writeFileSync(join(release, "SHA256SUMS"), `${lines.join("\n")}\n`);
});
console.log(
  `${release}:\n${readdirSync(release)
    .map((entry) => `  ${entry}`)
    .join("\n")}`,
);
