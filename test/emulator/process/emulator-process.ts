/** Starts the `emulator` command as a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

const source = fileURLToPath(new URL("command-program.ts", import.meta.url));

let bundle: string | undefined;

/** The program in one file, made once: it starts in a fraction of the time that compiling its parts takes. */
function program(): string {
  if (bundle !== undefined) return bundle;
  const folder = mkdtempSync(join(tmpdir(), "emulator-program-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  bundle = join(folder, "program.mjs");
  const banner = { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" };
  buildSync({ entryPoints: [source], outfile: bundle, bundle: true, platform: "node", format: "esm", banner });
  return bundle;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface EmulatorProcess {
  readonly child: ChildProcess;
  /** Resolves when stdout holds this many lines; rejects when the process ends before that. */
  lines(count: number): Promise<string[]>;
  readonly ended: Promise<Ended>;
}

/** Starts `spire-aws-kms emulator …`; it does not outlive the test. */
export function startProcess(t: TestContext, args: readonly string[]): EmulatorProcess {
  const child = spawn(process.execPath, [program(), "emulator", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = once(child, "close").then(([code, signal]): Ended => ({ code, signal, stdout, stderr }));
  t.after(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  return {
    child,
    ended,
    async lines(count) {
      while (stdout.split("\n").length <= count) {
        const result = await Promise.race([once(child.stdout, "data"), ended]);
        if (!Array.isArray(result)) throw new Error(`ended early: ${JSON.stringify(result)}`);
      }
      return stdout.split("\n").slice(0, count);
    },
  };
}

export async function endpointOf(emulator: EmulatorProcess): Promise<string> {
  const [line = ""] = await emulator.lines(1);
  return (JSON.parse(line) as { endpoint: string }).endpoint;
}
