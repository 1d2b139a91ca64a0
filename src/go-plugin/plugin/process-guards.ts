/** What can end a plugin's process, and what must not: signals, crashes, the loss of the host. */
import type { Logger } from "../hclog/logger.ts";
import { type HostWatch, watchHost } from "./host-watch.ts";

export interface ProcessGuardOptions {
  readonly log: Logger;
  /** A reason to stop serving, cleanly. */
  readonly onStop: (reason: string) => void;
  /** An error that was not caught; it has been logged. */
  readonly onCrash: () => void;
}

/**
 * Ties the process to its host: signals that a terminal sends to the whole process group are left to the host, SIGTERM
 * stops, so does the end of the host, and Node's own warnings and crashes become log lines.
 */
export function guardProcess(options: ProcessGuardOptions): HostWatch {
  guardSignals(options);
  guardErrors(options);
  return watchHost({ isAlive: isHostAlive(), onEnd: () => options.onStop("the host has ended") });
}

/** Whether the process that has started this one still runs. */
function isHostAlive(): () => boolean {
  const host = process.ppid;
  return () => isAlive(host);
}

function guardSignals({ log, onStop }: ProcessGuardOptions): void {
  // Ctrl-C, Ctrl-Break and a closed terminal reach the host as well. If they end the host, the plugin sees it go; if they
  // do not (nohup: Node forgets that SIGHUP was ignored), the host still needs its plugin.
  for (const signal of ["SIGINT", "SIGHUP", "SIGBREAK"] as const) {
    ignore(signal, () => log.trace("signal ignored while the host lives", { signal }));
  }
  // Node opens a debugger port at SIGUSR1 unless a listener is there. This process speaks for private keys.
  if (process.platform !== "win32")
    ignore("SIGUSR1", () => log.warn("signal ignored: no debugger in a plugin", { signal: "SIGUSR1" }));
  process.on("SIGTERM", () => onStop("SIGTERM"));
}

function ignore(signal: NodeJS.Signals, listener: () => void): void {
  try {
    process.on(signal, listener);
  } catch {
    // Not every system has every signal.
  }
}

function guardErrors({ log, onCrash }: ProcessGuardOptions): void {
  // Node's own listener would print to stderr; the AWS SDK warns of Node 20, for one.
  process.removeAllListeners("warning");
  process.on("warning", (warning) => {
    const { code } = warning as { code?: unknown };
    log.debug("warning from Node.js", {
      warning: `${warning.name}: ${warning.message}`,
      ...(typeof code === "string" ? { code } : {}),
    });
  });
  process.on("uncaughtException", (error: unknown, origin) => {
    const stack = error instanceof Error ? error.stack : undefined;
    log.error("the plugin has crashed", { error, origin, ...(stack === undefined ? {} : { stack }) });
    onCrash();
  });
}

function isAlive(host: number): boolean {
  // An orphan gets another parent; on Windows it keeps the number of the dead one.
  if (process.platform !== "win32") return process.ppid === host;
  try {
    process.kill(host, 0);
    return true;
  } catch (error) {
    return (error as { code?: unknown }).code !== "ESRCH";
  }
}
