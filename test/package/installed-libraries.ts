/** The libraries that `npm run pack:libraries` cuts out of dist/lib, laid out as a project that depends on nothing else. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, unknown>>;
}

export const readManifest = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;

/** Packs the libraries into a new folder; gives the paths of the tarballs by the packages' names. */
export function packLibraries(): { readonly folder: string; readonly tarballs: ReadonlyMap<string, string> } {
  const folder = mkdtempSync(join(tmpdir(), "libraries-"));
  execFileSync(process.execPath, [join(root, "scripts/pack-libraries.mjs"), folder], { stdio: "pipe" });
  const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const tarballs = names.map(({ name }): [string, string] => {
    const { version } = readManifest(join(folder, name));
    return [name, join(folder, `${name}-${version}.tgz`)];
  });
  return { folder, tarballs: new Map(tarballs) };
}

/** Everything that `names` need, found among what is installed here, from the needy package's folder upwards. */
function closure(names: readonly string[], from = root, found = new Map<string, string>()): Map<string, string> {
  for (const name of names) {
    const nested = join(from, "node_modules", name);
    const folder = existsSync(nested) ? nested : join(root, "node_modules", name);
    if (found.has(name)) continue;
    found.set(name, folder);
    closure(Object.keys(readManifest(folder).dependencies ?? {}), folder, found);
  }
  return found;
}

/**
 * A project that has `library` installed from its tarball, as npm would without a network: its dependencies and theirs are
 * copied from here, and nothing else is in reach.
 */
export function projectWith(
  library: string,
  tarball: string,
): { readonly folder: string; readonly installed: string[] } {
  const folder = mkdtempSync(join(tmpdir(), "project-"));
  const modules = join(folder, "node_modules");
  const own = join(modules, library);
  mkdirSync(own, { recursive: true });
  execFileSync("tar", ["-xzf", tarball, "-C", own, "--strip-components=1"]);
  const needed = closure([...Object.keys(readManifest(own).dependencies ?? {}), "@types/node"]);
  for (const [name, from] of needed) cpSync(from, join(modules, name), { recursive: true, dereference: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "project", private: true, type: "module" }));
  return { folder, installed: [library, ...needed.keys()] };
}

/** Runs a script in a project; its output. */
export function runIn(folder: string, name: string, script: string): string {
  writeFileSync(join(folder, name), script);
  return execFileSync(process.execPath, [name], { cwd: folder, encoding: "utf8", timeout: 60_000 });
}
