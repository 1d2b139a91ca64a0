/** Programs of Python, each set of pinned packages in a virtual environment that is made at the first run. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Reasons for a test to be skipped: the machine lacks something. */
export class Unavailable extends Error {}

function cacheFolder(): string {
  if (process.platform === "darwin") return join(homedir(), "Library", "Caches");
  return process.env.XDG_CACHE_HOME ?? process.env.LOCALAPPDATA ?? join(homedir(), ".cache");
}

/** The environment that an earlier run has installed to its end. */
async function knownEnvironment(pointer: string): Promise<string | undefined> {
  const bin = await readFile(pointer, "utf8").catch(() => "");
  return bin !== "" && existsSync(bin) ? bin : undefined;
}

/**
 * The folder of programs of an environment with these packages.
 *
 * Test files run side by side: each that finds none makes an environment of its own, and names it only once it is whole.
 *
 * @param name short, for the folder
 * @param packages as pip takes them, with their versions
 * @throws Unavailable if there is no Python, or no way to its packages
 */
export async function pythonEnvironment(name: string, packages: readonly string[]): Promise<string> {
  const cache = join(cacheFolder(), "spire-aws-kms");
  const hash = createHash("sha256").update(packages.join("\n")).digest("hex").slice(0, 12);
  const pointer = join(cache, `${name}-${hash}.path`);
  const known = await knownEnvironment(pointer);
  if (known !== undefined) return known;
  try {
    await mkdir(cache, { recursive: true });
    const folder = await mkdtemp(join(cache, `${name}-${hash}-`));
    const bin = join(folder, process.platform === "win32" ? "Scripts" : "bin");
    await run("python3", ["-m", "venv", folder], { timeout: 240_000 });
    await run(join(bin, "pip"), ["install", "--quiet", ...packages], { timeout: 800_000 });
    await writeFile(`${pointer}.${process.pid}`, bin);
    await rename(`${pointer}.${process.pid}`, pointer);
    return bin;
  } catch (error) {
    const reason = (error as Error).message.split("\n")[0];
    throw new Unavailable(`${packages.join(", ")} could not be installed: ${reason}`);
  }
}
