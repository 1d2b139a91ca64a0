/** Credentials that a command prints (`credential_process`). */
import { spawn } from "node:child_process";
import type { Credentials } from "../credentials.ts";
import type { Environment } from "../shared-files.ts";
import { sourceError, wordsOf } from "../source-error.ts";
import { credentialsFromJson } from "./credentials-json.ts";

export interface ProcessOptions {
  readonly command: string;
  readonly profile: string;
  readonly env: Environment;
}

const maxBytes = 64 * 1024;

interface Finished {
  readonly output: string;
  readonly complaint: string;
  readonly end: string | undefined;
}

/** What a command prints, kept up to a limit. */
function gather(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= maxBytes) chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString();
}

/** Runs the command in a process group of its own, which ends as a whole: a shell's children do not end with the shell. */
function run({ command, env }: ProcessOptions, signal: AbortSignal): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn("/bin/sh", ["-c", command], { env, stdio: ["ignore", "pipe", "pipe"], detached: true });
    const kill = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
      // Whoever has left the group may hold them open.
      child.stdout.destroy();
      child.stderr.destroy();
      reject(signal.reason);
    };
    const output = gather(child.stdout);
    const complaint = gather(child.stderr);
    signal.addEventListener("abort", kill, { once: true });
    child.once("error", reject);
    child.once("close", (status, killedBy) => {
      signal.removeEventListener("abort", kill);
      const end =
        killedBy !== null ? `was ended by ${killedBy}` : status === 0 ? undefined : `ended with status ${status}`;
      resolve({ output: output(), complaint: complaint(), end });
    });
  });
}

export const processName = (profile: string): string => `credential_process of profile ${profile}`;

export async function processCredentials(options: ProcessOptions, signal: AbortSignal): Promise<Credentials> {
  const source = processName(options.profile);
  let finished: Finished;
  try {
    finished = await run(options, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    throw sourceError(`${source} could not be started: ${wordsOf(error)}`);
  }
  const { output, complaint, end } = finished;
  if (end !== undefined) {
    const words = complaint
      .trim()
      .split(/[\r\n]+/)
      .at(-1)
      ?.slice(0, 200);
    throw sourceError(`${source} ${end}${words ? `: ${words}` : ""}`);
  }
  const { members, ...credentials } = credentialsFromJson(output, source, "SessionToken");
  if (members.Version !== 1) throw sourceError(`${source} gave an answer whose Version is not 1`);
  return credentials;
}
