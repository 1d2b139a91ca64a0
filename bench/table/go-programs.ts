/** The benchmark's programs in Go: built with the Go that is here, and spoken to over their standard streams. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Driver, Kms, KmsBehaviour, SignResult, SignRun, Spent } from "./instruments.ts";

const run = promisify(execFile);
const names = ["go-driver", "go-peer", "go-stub"] as const;

/** Where each program is. */
export type GoPrograms = Readonly<Record<(typeof names)[number], string>>;

/** @returns the programs, or the reason why there are none */
export async function buildGoPrograms(): Promise<GoPrograms | string> {
  const folder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "spire-aws-kms", "bench");
  const isThere = await run("go", ["version"]).then(
    () => true,
    () => false,
  );
  if (!isThere) return "go is not installed";
  await mkdir(folder, { recursive: true });
  const env = { ...process.env, GOWORK: "off", GOFLAGS: "-buildvcs=false" };
  for (const name of names) {
    const source = fileURLToPath(new URL(`../${name}`, import.meta.url));
    try {
      await run("go", ["mod", "download"], { cwd: source, env });
    } catch {
      return "the Go module proxy cannot be reached";
    }
    await run("go", ["build", "-o", join(folder, name), "."], { cwd: source, env });
  }
  return Object.fromEntries(names.map((name) => [name, join(folder, name)])) as GoPrograms;
}

/** The lines a program writes, one for each that is asked for. */
class Lines {
  readonly process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(path: string) {
    const child = spawn(path, { stdio: ["pipe", "pipe", "inherit"] });
    this.process = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  async next(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error(`${this.process.spawnfile} ended too early`);
    return String(value);
  }

  /** Both programs end when their input does. */
  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.stdin?.end();
    await ended;
  }
}

export async function startGoStub(path: string): Promise<Kms> {
  const lines = new Lines(path);
  const endpoint = await lines.next();
  const control = `${endpoint}/bench`;
  return {
    endpoint,
    async behave(behaviour: KmsBehaviour) {
      const answer = await fetch(control, { method: "POST", body: JSON.stringify(behaviour) });
      if (!answer.ok) throw new Error(`go-stub: ${await answer.text()}`);
    },
    counts: async () => (await (await fetch(control)).json()) as Record<string, number>,
    close: () => lines.close(),
  };
}

export function startGoDriver(path: string): Driver {
  const lines = new Lines(path);
  async function ask<Answer>(command: object): Promise<Answer> {
    lines.process.stdin?.write(`${JSON.stringify(command)}\n`);
    const answer = JSON.parse(await lines.next()) as Answer & { readonly error?: string };
    if (answer.error !== undefined) throw new Error(`go-driver: ${answer.error}`);
    return answer;
  }
  return {
    name: "go-driver: go-plugin and grpc-go, as in SPIRE Server",
    exec: async (program, args, env) => (await ask<{ ms: number }>({ do: "exec", path: program, args, env })).ms,
    start: (plugin, program, env) => ask({ do: "start", plugin, path: program, env }),
    configure: (plugin, hcl) => ask<Spent>({ do: "configure", plugin, hcl }),
    sign: (plugin, run: SignRun) => ask<SignResult>({ do: "sign", plugin, hash: "SHA256", ...run }),
    cpuMs: async (plugin) => (await ask<{ cpuMs: number }>({ do: "cpu", plugin })).cpuMs,
    kill: async (plugin) => void (await ask({ do: "kill", plugin })),
    close: () => lines.close(),
  };
}
