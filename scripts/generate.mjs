// Regenerates src/gen from proto/ with the pinned development tools; nothing is fetched.
//   node scripts/generate.mjs           writes src/gen
//   node scripts/generate.mjs --check   generates into a temporary folder and compares; exit 1 if src/gen is stale
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const generated = path.join(root, "src", "gen");

function generate(outDir) {
  const template = {
    version: "v2",
    clean: true,
    plugins: [
      {
        local: ["node", path.join(root, "node_modules", "@bufbuild", "protoc-gen-es", "bin", "protoc-gen-es")],
        out: outDir,
        // The generated enums are not erasable syntax, which the rest of the source must be.
        opt: ["target=ts", "import_extension=ts", "ts_nocheck=true"],
      },
    ],
  };
  const buf = path.join(root, "node_modules", "@bufbuild", "buf", "bin", "buf");
  const args = [buf, "generate", "proto", "--template", JSON.stringify(template)];
  const result = spawnSync(process.execPath, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  if (result.error !== undefined) throw result.error;
  if (result.status !== 0) process.exit(result.status ?? 1);
}

function filesUnder(dir) {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(dir, path.join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}

function staleFiles(freshDir) {
  const fresh = filesUnder(freshDir);
  const kept = new Set(filesUnder(generated));
  const stale = fresh.filter((name) => {
    if (!kept.delete(name)) return true;
    return !readFileSync(path.join(freshDir, name)).equals(readFileSync(path.join(generated, name)));
  });
  return [...stale, ...kept];
}

if (process.argv.includes("--check")) {
  const scratch = mkdtempSync(path.join(tmpdir(), "spire-aws-kms-gen-"));
  try {
    generate(scratch);
    const stale = staleFiles(scratch);
    if (stale.length > 0) {
      process.stderr.write(
        `src/gen does not match proto/: ${stale.join(", ")}\nhint: run "npm run generate" and commit src/gen\n`,
      );
      process.exitCode = 1;
    } else {
      process.stdout.write("src/gen matches proto/\n");
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
} else {
  generate(generated);
}
