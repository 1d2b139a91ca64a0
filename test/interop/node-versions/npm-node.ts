/** Node.js of any version, from the npm registry, kept in the user's cache folder. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "spire-aws-kms");

/**
 * @param version a line (`24`), for its newest release, or one release (`20.19.0`)
 * @returns the executable; undefined, with the test skipped, when it cannot be had
 */
export function nodeFromNpm(version: string, test: TestContext): string | undefined {
  const folder = join(cache, `node-${version}`);
  const name = `node-${process.platform}-${process.arch}`;
  const node = join(folder, "node_modules", name, "bin", "node");
  if (existsSync(node)) return node;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), "{}");
  try {
    const options = { cwd: folder, stdio: "pipe", timeout: 180_000 } as const;
    execFileSync("npm", ["install", "--no-save", "--no-audit", "--no-fund", `${name}@${version}`], options);
    return node;
  } catch (error) {
    test.skip(`Node ${version} cannot be installed from the npm registry: ${String(error).split("\n")[0]}`);
    return undefined;
  }
}
