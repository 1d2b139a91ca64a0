/**
 * Cuts the libraries of dist/lib into packages of their own: `npm run pack:libraries`, or `node scripts/pack-libraries.mjs
 * FOLDER`. Each becomes a folder and a tarball in dist/packages, or in FOLDER. What a package depends on is read from its
 * imports; the versions are those of the root package.json.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { contentsOf, libraries, root } from "./libraries.mjs";

const own = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const target = resolve(process.argv[2] ?? join(root, "dist/packages"));

/** A library leaves the choice of a newer fix to who installs it; the lock file here says what was tested. */
function dependenciesOf({ name }, packages) {
  const missing = packages.filter((dependency) => own.dependencies[dependency] === undefined);
  if (missing.length > 0)
    throw new Error(`${name} imports ${missing.join(", ")}, which is no dependency in package.json`);
  return Object.fromEntries(packages.map((dependency) => [dependency, `^${own.dependencies[dependency]}`]));
}

const exportsOf = ({ exports }) =>
  Object.fromEntries(
    Object.entries(exports).map(([subpath, entry]) => [
      subpath,
      { types: `./lib/${entry}.d.ts`, default: `./lib/${entry}.js` },
    ]),
  );

const manifestOf = (library, packages) => ({
  name: library.name,
  version: own.version,
  description: library.description,
  keywords: library.keywords,
  license: own.license,
  ...Object.fromEntries(["repository", "bugs", "homepage"].filter((key) => key in own).map((key) => [key, own[key]])),
  type: "module",
  sideEffects: false,
  engines: own.engines,
  ...(library.bin === undefined
    ? {}
    : { bin: Object.fromEntries(Object.keys(library.bin).map((name) => [name, `bin/${name}.js`])) }),
  files: library.bin === undefined ? ["lib"] : ["bin", "lib"],
  exports: { ...exportsOf(library), "./package.json": "./package.json" },
  dependencies: dependenciesOf(library, packages),
  peerDependencies: { "@types/node": ">=20" },
  peerDependenciesMeta: { "@types/node": { optional: true } },
});

/** The page under the package's own name; links to files that are not in the package keep their words. */
const readmeOf = ({ name, readme, renamed, note = "" }) =>
  renamed
    .reduce((text, [from, to]) => text.replaceAll(from, to), readFileSync(join(root, readme), "utf8"))
    .replace(
      /^(# .*\n)/,
      `$1\nThis is \`${name}\`, cut from \`${own.name}\` ${own.version}, where it is developed and tested.${note}\n`,
    )
    .replace(/\[([^\]]+)\]\((?!https?:|#)[^)]+\)/g, "$1");

function pack(library) {
  const { files, packages } = contentsOf(library);
  const folder = join(target, library.name);
  for (const file of files) {
    mkdirSync(dirname(join(folder, "lib", file)), { recursive: true });
    copyFileSync(join(root, "dist/lib", file), join(folder, "lib", file));
  }
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifestOf(library, packages), undefined, 2)}\n`);
  writeFileSync(join(folder, "README.md"), readmeOf(library));
  for (const [name, entry] of Object.entries(library.bin ?? {})) {
    mkdirSync(join(folder, "bin"), { recursive: true });
    const text = `#!/usr/bin/env node\nimport "../lib/${entry}.js";\n`;
    writeFileSync(join(folder, "bin", `${name}.js`), text, { mode: 0o755 });
  }
  copyFileSync(join(root, "LICENSE"), join(folder, "LICENSE"));
  execFileSync("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", target], { cwd: folder });
  console.log(`${library.name}-${own.version}.tgz: ${files.length} files, needs ${packages.join(", ")}`);
}

rmSync(target, { recursive: true, force: true });
for (const library of libraries) pack(library);
