/** Builds the programs of go-plugin's own examples, hosts and plugins, from the module that go-host depends on. */
import { execFile } from "node:child_process";
import { access, copyFile, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { GoUnavailable, newestGoPlugin } from "../go-host/go-host.ts";

const run = promisify(execFile);
const source = path.resolve(import.meta.dirname, "../go-host");
const examples = "github.com/hashicorp/go-plugin/examples";

/** By name, the package below examples/. */
const packages = {
  "kv-host": "grpc",
  "kv-plugin": "grpc/plugin-go-grpc",
  "counter-host": "bidirectional",
  "counter-plugin": "bidirectional/plugin-go-grpc",
  negotiated: "negotiated",
} as const;

export type GoExamples = Readonly<Record<keyof typeof packages, string>>;

/** @throws GoUnavailable when there is no Go, or its modules cannot be fetched */
export async function buildGoExamples(): Promise<GoExamples> {
  const cache = path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), ".cache"), "spire-aws-kms");
  const folder = path.join(cache, `go-plugin-examples-${newestGoPlugin}`);
  const files = Object.keys(packages).map((name) => [name, path.join(folder, name)]);
  const isBuilt = await access(folder).then(
    () => true,
    () => false,
  );
  if (!isBuilt) await build(cache, folder);
  return Object.fromEntries(files) as GoExamples;
}

async function build(cache: string, folder: string): Promise<void> {
  await run("go", ["version"]).catch((cause) => {
    throw new GoUnavailable("go is not installed", { cause });
  });
  await mkdir(cache, { recursive: true });
  const scratch = await mkdtemp(`${folder}.new-`);
  const modules = await mkdtemp(path.join(tmpdir(), "go-examples-"));
  try {
    for (const name of ["go.mod", "go.sum"]) await copyFile(path.join(source, name), path.join(modules, name));
    const env = { ...process.env, GOWORK: "off", GOFLAGS: "-mod=mod -buildvcs=false -p=1", CGO_ENABLED: "0" };
    const go = (...args: readonly string[]) => run("go", [...args], { cwd: source, env, timeout: 600_000 });
    const modfile = `-modfile=${path.join(modules, "go.mod")}`;
    await go("mod", "download", modfile).catch((cause) => {
      throw new GoUnavailable("the Go module proxy cannot be reached", { cause });
    });
    for (const [name, example] of Object.entries(packages)) {
      await go("build", modfile, "-o", path.join(scratch, name), `${examples}/${example}`);
    }
    // Another run may have been faster.
    await rename(scratch, folder).catch(() => undefined);
  } finally {
    for (const one of [scratch, modules]) await rm(one, { recursive: true, force: true });
  }
}
