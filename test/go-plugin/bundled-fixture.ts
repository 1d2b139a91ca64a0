import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { build } from "esbuild";

const root = path.resolve(import.meta.dirname, "..", "..");

/**
 * Bundles plugins into one executable file each, as they are shipped: quick to start, and with a checksum worth the name.
 * The files go when the test's process ends.
 *
 * @param sources paths from the repository's root
 * @returns the executables, in the same order
 */
export async function bundlePlugins<const Sources extends readonly string[]>(
  ...sources: Sources
): Promise<{ [I in keyof Sources]: string }> {
  const outdir = mkdtempSync(path.join(tmpdir(), "go-plugin-test-"));
  process.once("exit", () => rmSync(outdir, { recursive: true, force: true }));
  const files = sources.map((source) => path.join(outdir, `${path.basename(source, ".ts")}.mjs`));
  await build({
    entryPoints: sources.map((source) => path.join(root, source)),
    absWorkingDir: root,
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    banner: {
      js: `#!${process.execPath}\nimport { createRequire } from "node:module"; const require = createRequire(import.meta.url);`,
    },
    entryNames: "[name]",
    logLevel: "warning",
  });
  for (const file of files) chmodSync(file, 0o755);
  return files as { [I in keyof Sources]: string };
}
