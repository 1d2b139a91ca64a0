/**
 * What those who install our packages would meet: publint on each manifest, "are the types wrong" on each tarball. All are
 * ES modules; whoever writes CommonJS has `await import()`, and `require` from Node 20.19 and 22.12 on, which is why the
 * two findings about TypeScript in CommonJS, and about Node 10's lookup without `exports`, are passed over.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { libraries, root } from "./libraries.mjs";

const passedOver = new Set(["node10", "node16-cjs"]);
const packages = join(root, "dist/packages");

async function manifestFaults(folder) {
  const { messages, pkg } = await publint({ pkgDir: folder, strict: true });
  return messages
    .filter(({ type }) => type !== "suggestion")
    .map((message) => `${pkg.name}: publint: ${formatMessage(message, pkg)}`);
}

async function typeFaults(tarball) {
  const { packageName, problems } = await checkPackage(createPackageFromTarballData(readFileSync(tarball)));
  if (problems === undefined) return [`${packageName}: no types`];
  return problems
    .filter(({ resolutionKind }) => !passedOver.has(resolutionKind))
    .map((problem) => `${packageName}: types: ${JSON.stringify(problem)}`);
}

const scratch = mkdtempSync(join(tmpdir(), "spire-aws-kms-pack-"));
try {
  execFileSync("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", scratch], { cwd: root });
  const tarballs = [scratch, packages].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith(".tgz"))
      .map((name) => join(folder, name)),
  );
  const folders = [root, ...libraries.map(({ name }) => join(packages, name))];
  if (tarballs.length !== folders.length) throw new Error(`${folders.length} packages, ${tarballs.length} tarballs`);
  const faults = (await Promise.all([...folders.map(manifestFaults), ...tarballs.map(typeFaults)])).flat();
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) process.exitCode = 1;
  else console.log(`${tarballs.length} packages: manifests and types are in order`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
