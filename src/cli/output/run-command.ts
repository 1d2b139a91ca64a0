/**
 * What every command has around it: exit codes, failures in words instead of stacks, signals, a reader of the output that
 * has read enough.
 */
import { writeSync } from "node:fs";
import { explain, KeyManagerError } from "../../key-manager/errors.ts";
import { isKmsError } from "../../key-manager/ports.ts";
import { ConfigurationError } from "../configuration/configuration.ts";
import { type ExitCode, exitCodes, signalExitCodes } from "./exit-codes.ts";
import { jsonText } from "./json-document.ts";
import { printable, Terminal } from "./terminal.ts";

/** Arguments that do not go together. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export interface CommandContext {
  readonly terminal: Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts when the command is to end: Ctrl-C, SIGTERM. */
  readonly signal: AbortSignal;
}

export interface CommandOutputFlags {
  readonly json?: boolean;
  readonly verbose?: boolean;
}

interface Failure {
  readonly exitCode: ExitCode;
  readonly problems: readonly string[];
}

function failureOf(error: unknown): Failure | undefined {
  if (error instanceof ConfigurationError) return { exitCode: exitCodes.usage, problems: error.problems };
  if (error instanceof UsageError) return { exitCode: exitCodes.usage, problems: [error.message] };
  if (isKmsError(error)) return { exitCode: exitCodes.failed, problems: [explain(error)] };
  if (!(error instanceof KeyManagerError)) return undefined;
  return {
    exitCode: error.code === "FAILED_PRECONDITION" ? exitCodes.refused : exitCodes.failed,
    problems: [error.message],
  };
}

const words: Readonly<Record<number, string>> = {
  [exitCodes.failed]: "failed",
  [exitCodes.usage]: "usage",
  [exitCodes.refused]: "refused",
};

function tell(name: string, { exitCode, problems }: Failure, terminal: Terminal, json: boolean): void {
  for (const problem of problems) terminal.note(printable(`spire-aws-kms ${name}: ${problem}`));
  if (exitCode === exitCodes.usage) terminal.hint(`spire-aws-kms ${name} --help explains the flags`);
  if (!json) return;
  const error = { code: words[exitCode], problems };
  terminal.print(jsonText({ format: "spire-aws-kms/error", version: 1, command: name, error }));
}

/** In one call, since what is queued would be lost; where stderr is out of order as well there is no one to tell. */
function tellAtOnce(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // Nothing is left to write to.
  }
}

/**
 * Ends at once and silently when no one reads the output any more, as `head` leaves it; in words when it cannot be written, as on a disk
 * that is full.
 */
export function endOnBrokenPipe(name: string): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", ({ code }: NodeJS.ErrnoException) => {
      if (code === "EPIPE") process.exit(signalExitCodes.SIGPIPE);
      const which = stream === process.stdout ? "stdout" : "stderr";
      tellAtOnce(`spire-aws-kms ${name}: ${which} cannot be written: ${code ?? "it fails"}\n`);
      process.exit(exitCodes.failed);
    });
  }
}

function endingSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => {
      // The second time is meant: whatever is under way is left.
      if (controller.signal.aborted) process.exit(signalExitCodes[name]);
      process.exitCode = signalExitCodes[name];
      controller.abort();
    });
  }
  return controller.signal;
}

/**
 * Runs a command's work and sets the process's exit code.
 *
 * @param name as the command is called, for messages
 */
export async function runCommand(
  name: string,
  { json = false }: CommandOutputFlags,
  work: (context: CommandContext) => Promise<ExitCode>,
): Promise<void> {
  endOnBrokenPipe(name);
  const terminal = new Terminal({ stdout: process.stdout, stderr: process.stderr, env: process.env });
  const signal = endingSignal();
  try {
    const exitCode = await work({ terminal, env: process.env, signal });
    if (!signal.aborted) process.exitCode = exitCode;
  } catch (error) {
    terminal.endStatus();
    if (signal.aborted) return;
    const failure = failureOf(error);
    if (failure === undefined) throw error;
    tell(name, failure, terminal, json);
    process.exitCode = failure.exitCode;
  }
}
