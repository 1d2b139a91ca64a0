import { type ChildProcess, spawn } from "node:child_process";

const running = new Set<ChildProcess>();
// A failing test leaves nothing behind.
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

export interface RawPlugin {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Everything printed so far. */
  stdout(): string;
  stderr(): string;
  /** The first line of stdout, once it is there; what there was of it if the process ends first. */
  readonly handshake: Promise<string>;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

/** Starts a plugin with nothing around it, to see the bytes it prints. */
export function startRaw(
  file: string,
  env: Record<string, string | undefined> = {},
  args: readonly string[] = [],
): RawPlugin {
  const child = spawn(file, [...args], {
    env: { ...process.env, NODE_OPTIONS: undefined, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  let stdout = "";
  let stderr = "";
  child.stderr.on("data", (data: Buffer) => {
    stderr += data.toString();
  });
  const handshake = new Promise<string>((resolve) => {
    child.stdout.on("data", (data: Buffer) => {
      stdout += data.toString();
      if (stdout.includes("\n")) resolve(stdout.split("\n", 1)[0] ?? "");
    });
    child.stdout.once("end", () => resolve(stdout));
  });
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once("close", (code, signal) => {
      running.delete(child);
      resolve({ code, signal });
    });
  });
  return { child, pid: child.pid ?? -1, stdout: () => stdout, stderr: () => stderr, handshake, exited };
}
