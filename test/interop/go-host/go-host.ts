import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const source = import.meta.dirname;

/** The race detector's standard library is compiled at the first build. */
const buildTimeoutMs = 600_000;
const runTimeoutMs = 180_000;

/** The go-plugin releases that the module proxy has, from the oldest that speaks our core protocol version on. */
export const goPluginVersions = [
  "v1.4.3",
  "v1.4.5",
  "v1.4.8",
  "v1.6.0",
  "v1.6.2",
  "v1.6.3",
  "v1.7.0",
  "v1.8.0",
] as const;
export const newestGoPlugin = "v1.8.0";

export interface Step {
  readonly step: string;
  readonly ok: boolean;
  readonly detail?: string;
  readonly millis: number;
}

/** What main.go prints. */
export interface Report {
  readonly ok: boolean;
  readonly goPlugin: string;
  readonly startedInMillis: number;
  readonly steps: readonly Step[];
  readonly metrics: readonly {
    readonly call: string;
    readonly key: string;
    readonly value: number;
    readonly labels?: Record<string, string>;
  }[];
  readonly log: readonly {
    readonly level: string;
    readonly module: string;
    readonly message: string;
    readonly fields: Record<string, unknown>;
  }[];
}

/** Why the host cannot be built here; a reason to skip, not to fail. */
export class GoUnavailable extends Error {}

export interface GoHost {
  /** The program; without the race detector it is static, and runs in a root that has nothing else. */
  readonly binary: string;
  /** @param args flags of main.go */
  run(...args: readonly string[]): Promise<Report>;
}

export interface GoHostOptions {
  readonly goPlugin: string;
  /** Go's race detector; needs a C compiler. */
  readonly race?: boolean;
}

/**
 * Builds the host with one release of go-plugin. The program is kept in the user's cache folder under a name that tells
 * sources and versions, so the next run finds it.
 *
 * @throws GoUnavailable when there is no Go, or its modules cannot be fetched
 */
export async function buildGoHost({ goPlugin, race = false }: GoHostOptions): Promise<GoHost> {
  const go = await goVersion();
  const cache = path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), ".cache"), "spire-aws-kms");
  const binary = path.join(cache, `go-host-${await fingerprint(go, goPlugin, race ? "true" : "static")}`);
  if (!(await exists(binary))) {
    await mkdir(cache, { recursive: true });
    await build(binary, goPlugin, race);
  }
  return { binary, run: (...args) => runHost(binary, args) };
}

async function goVersion(): Promise<string> {
  try {
    return (await run("go", ["version"])).stdout;
  } catch (cause) {
    throw new GoUnavailable("go is not installed", { cause });
  }
}

async function fingerprint(...versions: readonly string[]): Promise<string> {
  const hash = createHash("sha256").update(versions.join("\n"));
  for (const name of (await sourceFiles()).sort()) hash.update(name).update(await readFile(path.join(source, name)));
  return hash.digest("hex").slice(0, 24);
}

async function sourceFiles(): Promise<string[]> {
  return (await readdir(source)).filter((name) => name.endsWith(".go") || name.startsWith("go."));
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

async function build(binary: string, goPlugin: string, race: boolean): Promise<void> {
  const scratch = await mkdtemp(path.join(tmpdir(), "go-host-"));
  const env = {
    ...process.env,
    GOWORK: "off",
    GOFLAGS: "-mod=mod -buildvcs=false",
    CGO_ENABLED: race ? "1" : "0",
  };
  const go = (...args: readonly string[]) => run("go", [...args], { cwd: source, env, timeout: buildTimeoutMs });
  try {
    for (const name of ["go.mod", "go.sum"]) await copyFile(path.join(source, name), path.join(scratch, name));
    const modfile = `-modfile=${path.join(scratch, "go.mod")}`;
    try {
      await go("get", modfile, `github.com/hashicorp/go-plugin@${goPlugin}`);
      await go("mod", "download", modfile);
    } catch (cause) {
      throw new GoUnavailable("the Go module proxy cannot be reached", { cause });
    }
    const built = path.join(scratch, "go-host");
    const tags = hasMultiplexing(goPlugin) ? [] : ["-tags=nomultiplex"];
    await go("build", modfile, ...tags, ...(race ? ["-race"] : []), "-o", built, ".");
    const beside = `${binary}.${process.pid}`;
    await copyFile(built, beside);
    await rename(beside, binary);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function hasMultiplexing(goPlugin: string): boolean {
  const minor = Number(goPlugin.split(".")[1]);
  return minor >= 6;
}

/** @param command the program, or what runs it elsewhere with what follows */
export async function runHost(command: string, args: readonly string[]): Promise<Report> {
  const env = { ...process.env, GORACE: "halt_on_error=1 exitcode=66" };
  const { stdout, stderr, code } = await run(command, [...args], {
    env,
    timeout: runTimeoutMs,
    maxBuffer: 64 * 1024 * 1024,
  }).then(
    (output) => ({ ...output, code: 0 }),
    (error: unknown) => error as { stdout: string; stderr: string; code: number | null },
  );
  if (stdout === "" || stderr !== "") throw new Error(`go-host ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as Report;
}

/** The steps that failed, for a test's message. */
export function failedSteps(report: Report): string[] {
  return report.steps.filter(({ ok }) => !ok).map(({ step, detail }) => `${step}: ${detail ?? ""}`);
}
