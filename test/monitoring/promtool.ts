/** Prometheus's own engine for rules and queries: promtool, of this machine or of Debian's package. */
import { execFile } from "node:child_process";
import { access, mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Why there is no promtool; a reason to skip. */
export class Unavailable extends Error {}

const cached = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "spire-aws-kms", "promtool");

async function fetched(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "promtool-"));
  try {
    await run("apt-get", ["download", "prometheus"], { cwd: folder, timeout: 120_000 });
    const [archive = ""] = (await readdir(folder)).filter((name) => name.endsWith(".deb"));
    await run("dpkg-deb", ["-x", join(folder, archive), join(folder, "tree")], { timeout: 120_000 });
    await mkdir(join(cached, ".."), { recursive: true });
    const beside = `${cached}.${process.pid}`;
    await run("cp", [join(folder, "tree/usr/bin/promtool"), beside]);
    await rename(beside, cached);
    return cached;
  } catch (cause) {
    throw new Unavailable("there is no promtool, and Debian's package prometheus cannot be fetched", { cause });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @throws Unavailable */
export async function findPromtool(): Promise<string> {
  for (const command of ["promtool", cached]) {
    const isThere = await run(command, ["--version"]).then(
      () => true,
      () => false,
    );
    if (isThere) return command;
  }
  return fetched();
}

export interface UnitTest {
  readonly name: string;
  readonly interval: "1m";
  readonly input_series: readonly { readonly series: string; readonly values: string }[];
  readonly promql_expr_test: readonly {
    readonly expr: string;
    readonly eval_time: string;
    readonly exp_samples: readonly { readonly labels: string; readonly value: number }[];
  }[];
}

/** @returns what promtool says of the tests that fail; empty when all pass */
export async function failuresOf(promtool: string, rules: string, tests: readonly UnitTest[]): Promise<string> {
  await access(rules);
  const folder = await mkdtemp(join(tmpdir(), "promtool-test-"));
  try {
    const file = join(folder, "tests.yml");
    // JSON is YAML.
    await writeFile(file, JSON.stringify({ rule_files: [rules], evaluation_interval: "1m", tests }));
    await run(promtool, ["check", "rules", rules]);
    return await run(promtool, ["test", "rules", file], { maxBuffer: 64 * 1024 * 1024 }).then(
      () => "",
      (error: { stdout?: string; stderr?: string }) => `${error.stdout ?? ""}${error.stderr ?? ""}`,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
