/**
 * Makes dist/scratch/opt/spire-aws-kms, for a root that holds nothing else, such as SPIRE's official image: the
 * standalone executables, and in lib/ the loader and the shared libraries of this machine (`npm run build:scratch`).
 *
 * The kernel takes the loader, and the loader its libraries, from the absolute path that is written into the file: what
 * is relative to the executable needs /proc. Order matters: the blob is in the file before patchelf moves its tables.
 */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { executables } from "../executables.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Where the folder has to lie. */
export const home = "/opt/spire-aws-kms";

const { values } = parseArgs({ options: { from: { type: "string" }, out: { type: "string" } } });
const from = values.from ?? join(root, "dist/standalone", `linux-${process.arch}`);
const folder = join(values.out ?? join(root, "dist/scratch"), home);

function need(isThere, sentence) {
  if (isThere) return;
  console.error(sentence);
  process.exit(1);
}

const run = (command, ...args) => execFileSync(command, args, { encoding: "utf8", stdio: "pipe" });

function hasPatchelf() {
  try {
    run("patchelf", "--version");
    return true;
  } catch {
    return false;
  }
}

/** The loader and the libraries as this machine finds them: [name that the executable asks for, file]. */
function librariesOf(executable) {
  const lines = run("ldd", executable).split("\n");
  return lines.flatMap((line) => {
    const [, name, file] = /^\s*(\S+) => (\/\S+) \(/.exec(line) ?? /^\s*((\/\S+)) \(/.exec(line) ?? [];
    return file === undefined ? [] : [[basename(name), file]];
  });
}

/** Debian's and Ubuntu's packages say in one file what may be done with them. */
function licenceOf(file) {
  for (const path of new Set([file, realpathSync(file), file.replace(/^\/lib/, "/usr/lib")])) {
    try {
      const [name] = run("dpkg-query", "--search", path).split(/:| /);
      const text = `/usr/share/doc/${name}/copyright`;
      if (existsSync(text)) return [run("dpkg-query", "--show", name).trim().replace("\t", " "), text];
    } catch {
      // Another path may be the one that the package lists.
    }
  }
  return undefined;
}

need(existsSync(join(from, "aws_kms")), `There is nothing at ${from}: npm run build:standalone makes it.`);
need(
  hasPatchelf(),
  "patchelf is not installed: it writes the folder's path into the executables (Debian: apt-get install patchelf).",
);

const libraries = librariesOf(join(from, "aws_kms"));
const loader = libraries.find(([name]) => name.startsWith("ld-linux"));
need(
  loader !== undefined && libraries.length > 3,
  `ldd names no loader for ${from}/aws_kms: ${JSON.stringify(libraries)}`,
);

rmSync(folder, { recursive: true, force: true });
mkdirSync(join(folder, "lib"), { recursive: true });
const licences = new Map();
for (const [name, file] of libraries) {
  copyFileSync(realpathSync(file), join(folder, "lib", name));
  chmodSync(join(folder, "lib", name), 0o755);
  const licence = licenceOf(file);
  need(
    licence !== undefined,
    `${file} comes from no package whose copyright file is on this machine: it may not be shipped without its licence.`,
  );
  licences.set(...licence);
}
for (const name of Object.keys(executables)) {
  const path = join(folder, name);
  copyFileSync(join(from, name), path);
  run("patchelf", "--set-interpreter", `${home}/lib/${loader[0]}`, "--set-rpath", `${home}/lib`, "--force-rpath", path);
  chmodSync(path, 0o755);
}
const texts = [...licences].map(
  ([name, text]) => `${name}, in lib/, unchanged, as Debian or Ubuntu ship it:\n\n${readFileSync(text, "utf8")}`,
);
const rule = `\n${"-".repeat(70)}\n\n`;
writeFileSync(
  join(folder, "THIRD-PARTY-LICENSES.txt"),
  [readFileSync(join(from, "THIRD-PARTY-LICENSES.txt"), "utf8"), ...texts].join(rule),
);
console.log(`${folder}: for ${home}, with ${libraries.map(([name]) => name).join(", ")}`);
