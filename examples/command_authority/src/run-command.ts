/** A command of the operator's, which ends when SPIRE has left. */
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { type Logger, StatusError } from "spire-plugin-sdk";

export interface Run {
  readonly command: string;
  readonly args: readonly string[];
  /** Added to the plugin's own. */
  readonly env: Readonly<Record<string, string>>;
  readonly input: string;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** @returns what it prints @throws StatusError UNAVAILABLE when it fails; what it says of that goes to the log */
export async function runCommand({ command, args, env, input, signal, log }: Run): Promise<string> {
  const child = spawn(command, [...args], {
    env: { ...process.env, ...env },
    stdio: ["pipe", "pipe", "pipe"],
    signal,
    killSignal: "SIGKILL",
  });
  const ended = new Promise<string | undefined>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, name) => resolve(code === 0 ? undefined : `ended with ${name ?? `code ${code}`}`));
  });
  // A command that does not read its input is judged by what it prints.
  child.stdin.on("error", () => undefined).end(input);
  const [printed, complaint, problem] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  if (signal.aborted) throw signal.reason;
  if (problem === undefined) return printed;
  log.error("the command has failed", { command, problem, stderr: complaint.slice(-2000) });
  throw new StatusError("UNAVAILABLE", `${command}: ${problem}; the log has more`);
}
