import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { EmulatorError } from "../errors.ts";

/**
 * A lock file beside the data file, naming the process that holds it. It outlives a kill -9, so a lock is stale when its
 * process is gone, or (Linux) when the process id now belongs to a process started at another time.
 */
function startTimeOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A killed process that nobody has waited for still answers to signal 0.
    return state === "Z" || state === "X" ? "ended" : (rest[18] ?? "");
  } catch {
    return "";
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Locks held by this very process: two emulators in one process must not share a file either. */
const heldHere = new Set<string>();

function isHeld(path: string): number | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
  const [pidText = "", startTime = ""] = text.trim().split(" ");
  const pid = Number(pidText);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  if (pid === process.pid) return heldHere.has(path) ? pid : undefined;
  return isRunning(pid) && startTimeOf(pid) === startTime ? pid : undefined;
}

/** Takes the lock and returns the function that gives it back. Throws EmulatorError DATA_FILE_LOCKED. */
export function lockDataFile(dataFile: string): () => void {
  const path = `${dataFile}.lock`;
  const holder = isHeld(path);
  if (holder !== undefined) {
    throw new EmulatorError("DATA_FILE_LOCKED", `data file ${dataFile} is in use by process ${holder}`);
  }
  try {
    rmSync(path, { force: true });
    writeFileSync(path, `${process.pid} ${startTimeOf(process.pid)}\n`, { flag: "wx", mode: 0o600 });
  } catch (cause) {
    throw new EmulatorError("DATA_FILE_UNWRITABLE", `cannot lock data file ${dataFile}: ${(cause as Error).message}`, {
      cause,
    });
  }
  heldHere.add(path);
  return () => {
    heldHere.delete(path);
    rmSync(path, { force: true });
  };
}
