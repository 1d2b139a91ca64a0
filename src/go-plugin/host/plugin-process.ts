/** The process of a plugin as its host sees it: started, read, signalled, ended. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { GoPluginError } from "../errors.ts";
import { type Environment, type Handshake, parseHandshakeLine } from "../handshake.ts";
import { type HclogEntry, maxLineBytes, parseHclogLine } from "../hclog/hclog-line.ts";
import { LineSplitter } from "../hclog/line-splitter.ts";

const stderrTailLines = 20;
const exitAfterKillMs = 5000;

export interface PluginProcessOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Environment;
  readonly cwd?: string | undefined;
  readonly onLog?: ((entry: HclogEntry) => void) | undefined;
  readonly onStderrLine?: ((line: string) => void) | undefined;
}

export interface PluginExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Starts without a shell. @throws GoPluginError `START_FAILED` */
export function startProcess(options: PluginProcessOptions): Promise<PluginProcess> {
  return new Promise((resolve, reject) => {
    const child = spawn(options.command, [...options.args], {
      cwd: options.cwd,
      env: options.env,
      shell: false,
      stdio: ["ignore", "pipe", "pipe"],
      windowsHide: true,
    });
    const started = new PluginProcess(child, options);
    child.once("error", (cause) => {
      reject(
        new GoPluginError("START_FAILED", `cannot start plugin "${options.command}": ${cause.message}`, { cause }),
      );
    });
    child.once("spawn", () => resolve(started));
  });
}

export type { PluginProcess };

/** A started plugin: its handshake, its log, its end. */
class PluginProcess {
  readonly exited: Promise<PluginExit>;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #firstLine: Promise<string>;
  readonly #stderrTail: string[] = [];
  #exit: PluginExit | undefined;

  constructor(child: ChildProcessByStdio<null, Readable, Readable>, options: PluginProcessOptions) {
    this.#child = child;
    // 'close' rather than 'exit': all output has been read by then.
    this.exited = new Promise((resolve) => {
      child.once("close", (code, signal) => {
        this.#exit = { code, signal };
        resolve(this.#exit);
      });
    });
    this.#firstLine = new Promise((resolve) => {
      const lines = new LineSplitter(resolve, maxLineBytes);
      child.stdout.on("data", (data: Buffer) => lines.push(data));
      child.stdout.once("end", () => lines.end());
    });
    this.#readStderr(child.stderr, options);
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  get exit(): PluginExit | undefined {
    return this.#exit;
  }

  /** @throws GoPluginError `START_TIMEOUT`, `EXITED_BEFORE_HANDSHAKE`, `HANDSHAKE_LINE` */
  async readHandshake(timeoutMs: number): Promise<Handshake> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_resolve, reject) => {
      const late = new GoPluginError(
        "START_TIMEOUT",
        `the plugin printed no handshake within ${timeoutMs} ms${this.#tail()}`,
      );
      timer = setTimeout(() => reject(late), timeoutMs);
    });
    const ended = this.exited.then((exit): never => {
      const how = exit.signal === null ? `with code ${exit.code}` : `by ${exit.signal}`;
      throw new GoPluginError(
        "EXITED_BEFORE_HANDSHAKE",
        `the plugin exited ${how} before its handshake${this.#tail()}`,
      );
    });
    // The one that loses the race must not end as an unhandled rejection.
    ended.catch(() => undefined);
    try {
      return parseHandshakeLine(await Promise.race([this.#firstLine, ended, timeout]));
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the process at once and waits for it. */
  async kill(): Promise<PluginExit> {
    this.#child.kill("SIGKILL");
    return (await this.exitWithin(exitAfterKillMs)) ?? { code: null, signal: "SIGKILL" };
  }

  /** Sends a signal to the plugin alone. */
  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** @returns undefined if the process is still there after `timeoutMs` */
  async exitWithin(timeoutMs: number): Promise<PluginExit | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), timeoutMs);
    });
    try {
      return await Promise.race([this.exited, timeout]);
    } finally {
      clearTimeout(timer);
    }
  }

  #readStderr(stderr: Readable, { onLog, onStderrLine }: PluginProcessOptions): void {
    const lines = new LineSplitter((line) => {
      this.#stderrTail.push(line);
      if (this.#stderrTail.length > stderrTailLines) this.#stderrTail.shift();
      onStderrLine?.(line);
      const entry = onLog === undefined ? undefined : parseHclogLine(line);
      if (entry !== undefined) onLog?.(entry);
    }, maxLineBytes);
    stderr.on("data", (data: Buffer) => lines.push(data));
    stderr.once("end", () => lines.end());
  }

  #tail(): string {
    return this.#stderrTail.length === 0 ? "" : `; its stderr ended with:\n${this.#stderrTail.join("\n")}`;
  }
}
